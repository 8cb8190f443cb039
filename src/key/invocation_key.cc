#include "key/invocation_key.h"

#include <algorithm>

#include "base/path.h"
#include "key/cpu.h"
#include "key/extra_rules.h"
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
  if (invocation.family == Family::rustc) return config.path_normalize && !invocation.coverage;
  const CcDetails& cc = invocation.cc;
  bool knows_flag = cc.kind == CcKind::gcc || cc.kind == CcKind::clang;
  if (!config.cc_path_normalize || config.cc_prefix_map == PrefixMap::off || !knows_flag) return false;
  if (invocation.source.empty() || cc.is_configure_probe || cc.rewrites_paths) return false;
  return cc.debug_info || config.cc_prefix_map == PrefixMap::all;
}

namespace {

const char* remap_flag(const Invocation& invocation, const Config& config) {
  if (invocation.family == Family::rustc) return "--remap-path-prefix=";
  return config.cc_prefix_map == PrefixMap::all ? "-ffile-prefix-map=" : "-fdebug-prefix-map=";
}

}  // namespace

std::vector<std::string> remap_arguments(const Invocation& invocation, const Roots& roots, const Config& config) {
  std::vector<std::string> arguments;
  bool is_rustc = invocation.family == Family::rustc;
  std::string flag = remap_flag(invocation, config);
  auto add = [&](const std::string& from, const std::string& to) {
    // The compilers of the C family take the first '=' for the middle.
    if (is_rustc || from.find('=') == std::string::npos) arguments.push_back(flag + from + "=" + to);
  };
  for (const Root& root : roots.all()) {
    if (!root.is_whole) continue;
    if (root.real != root.path) add(root.real, root.remap_to);
    add(root.path, root.remap_to);
  }
  return arguments;
}

namespace {

const char* purpose_name(const Invocation& invocation) {
  switch (invocation.purpose) {
    case Purpose::compile: return "compile";
    case Purpose::link: return "link";
    case Purpose::archive: return "archive";
    case Purpose::probe: return "probe";
  }
  return "";
}

// Where one root lies inside another that is told to the compiler as well, which rule counts may be the compiler's choice.
void add_nesting(std::vector<KeyPart>& parts, const Roots& roots) {
  const std::vector<Root>& all = roots.all();
  for (const Root& inner : all) {
    for (const Root& outer : all) {
      if (&inner == &outer || !inner.is_whole || !outer.is_whole || !is_below(inner.path, outer.path)) continue;
      parts.push_back({"nested", outer.remap_to + " " + std::string(relative_to(inner.path, outer.path)) + " " + inner.remap_to});
    }
  }
}

}  // namespace

std::vector<KeyPart> key_parts(const CommandLine& line, const Invocation& invocation, const Roots& roots,
                               const Config& config, const Program& program) {
  bool is_rustc = invocation.family == Family::rustc;
  bool remap = remaps_paths(invocation, config);
  // What a place leaves in the outputs of the C family is found there; rustc without remapping writes it everywhere.
  bool by_root = remap || !is_rustc;
  std::vector<KeyPart> parts;
  parts.push_back({"toolchain", program.content.hex()});
  if (!is_rustc) {
    parts.push_back({"compiler", roots.remapped(program.found)});
    if (program.real != program.found) parts.push_back({"compiler behind links", roots.remapped(program.real)});
  }
  parts.push_back({"purpose", purpose_name(invocation)});
  for (const KeyArg& arg : invocation.key_args) {
    parts.push_back({"argv", arg.text + (by_root && !arg.path.empty() ? roots.remapped(arg.path) : arg.path)});
  }
  parts.push_back({"cwd", by_root ? roots.remapped(line.cwd) : line.cwd});
  if (remap) {
    for (const Root& root : roots.all()) {
      // Which macros are mapped as well is a matter of the flag.
      if (root.is_whole) parts.push_back({"remap", (is_rustc ? "" : remap_flag(invocation, config)) + root.remap_to});
    }
  }
  if (remap && !is_rustc) add_nesting(parts, roots);
  if (invocation.native_cpu) parts.push_back({"cpu", cpu_identity(posix_file_system())});
  if (!config.key_salt.empty()) parts.push_back({"salt", digest_bytes(config.key_salt).hex()});
  if (!is_rustc) {
    for (const std::string& flag : config.cc_extra_allowlist_flags) parts.push_back({"allowed", flag});
  }
  add_key_env_vars(parts, line.env, config.key_env_vars);
  if (!config.extra_problem.empty()) parts.push_back({"extra input", "unusable rules"});
  for (const std::string& pattern : extra_patterns(line, invocation, config)) parts.push_back({"extra input", pattern});
  return parts;
}

InvocationKey derive_invocation_key(const std::vector<KeyPart>& parts) {
  Hasher hasher;
  hasher.field("kache invocation", kKeySchema);
  for (const KeyPart& part : parts) hasher.field(part.label, part.text);
  return {hasher.finish()};
}

}  // namespace kache
