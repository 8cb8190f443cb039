#include "key/invocation_key.h"

#include <algorithm>

#include "base/path.h"
#include "key/cpu.h"
#include "key/schema.h"

namespace kache {
namespace {

bool matches_name(std::string_view pattern, std::string_view name) {
  if (pattern.ends_with('*')) return name.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == name;
}

// Values that the user adds to the key; they are compared as they are, and never shown.
void add_key_env_vars(std::vector<KeyPart>& parts, const Env& env, const std::vector<std::string>& patterns) {
  if (patterns.empty()) return;
  std::vector<std::string> found;
  for (const std::string& entry : env.entries()) {
    std::string_view name = std::string_view(entry).substr(0, entry.find('='));
    for (const std::string& pattern : patterns) {
      if (matches_name(pattern, name)) {
        found.push_back(entry);
        break;
      }
    }
  }
  std::sort(found.begin(), found.end());
  for (const std::string& pattern : patterns) parts.push_back({"key_env_vars", pattern});
  for (const std::string& entry : found) {
    size_t equals = std::min(entry.find('='), entry.size() - 1);
    parts.push_back({"env " + entry.substr(0, equals), digest_bytes(entry.substr(equals + 1)).hex()});
  }
}

}  // namespace

bool remaps_paths(const Invocation& invocation, const Config& config) {
  return config.path_normalize && !invocation.coverage;
}

std::vector<std::string> remap_arguments(const Roots& roots) {
  std::vector<std::string> arguments;
  auto add = [&](const std::string& from, const std::string& to) {
    arguments.push_back("--remap-path-prefix=" + from + "=" + to);
  };
  for (const Root& root : roots.all()) {
    if (root.real != root.path) add(root.real, root.remap_to);
    add(root.path, root.remap_to);
  }
  return arguments;
}

std::vector<KeyPart> key_parts(const CommandLine& line, const Invocation& invocation, const Roots& roots,
                               const Config& config, const Digest& toolchain) {
  bool remap = remaps_paths(invocation, config);
  std::vector<KeyPart> parts;
  parts.push_back({"toolchain", toolchain.hex()});
  parts.push_back({"purpose", invocation.purpose == Purpose::probe ? "probe" : "compile"});
  for (const KeyArg& arg : invocation.key_args) {
    parts.push_back({"argv", arg.text + (remap && !arg.path.empty() ? roots.remapped(arg.path) : arg.path)});
  }
  parts.push_back({"cwd", remap ? roots.remapped(line.cwd) : line.cwd});
  if (remap) {
    for (const Root& root : roots.all()) parts.push_back({"remap", root.remap_to});
  }
  if (invocation.native_cpu) parts.push_back({"cpu", cpu_identity(posix_file_system())});
  if (!config.key_salt.empty()) parts.push_back({"salt", digest_bytes(config.key_salt).hex()});
  add_key_env_vars(parts, line.env, config.key_env_vars);
  return parts;
}

InvocationKey derive_invocation_key(const std::vector<KeyPart>& parts) {
  Hasher hasher;
  hasher.field("kache invocation", kKeySchema);
  for (const KeyPart& part : parts) hasher.field(part.label, part.text);
  return {hasher.finish()};
}

}  // namespace kache
