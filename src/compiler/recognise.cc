#include <algorithm>
#include <iterator>

#include "base/path.h"
#include "compiler/compilers.h"

namespace kache {
namespace {

// The commands of kache-tool, of this version and of the program it can stand in for: none of them is ever taken for a
// workspace wrapper, even where PATH has a program of that name (there is an /sbin/init).
constexpr std::string_view kToolCommands[] = {
    "cargo", "clean",   "completions", "config", "daemon", "doctor",        "gc",    "help", "init",
    "list",  "monitor", "purge",       "report", "stats",  "save-manifest", "sync", "install-shims", "why-miss",
};

// A name and nothing but a version or a variant behind it: rustc-1.95, rustc_nightly, rustc1.85, rustc.exe.
bool is_name_or_variant(std::string_view name, std::string_view base) {
  if (!name.starts_with(base)) return false;
  if (name.size() == base.size()) return true;
  char next = name[base.size()];
  return next == '-' || next == '_' || next == '.' || (next >= '0' && next <= '9');
}

bool is_on_path(FileSystem& fs, std::string_view name, const Env& env) {
  std::string_view rest = env.get_or_empty("PATH");
  while (!rest.empty()) {
    size_t colon = rest.find(':');
    std::string_view dir = rest.substr(0, colon);
    if (!dir.empty()) {
      Result<FileStat> stat = fs.stat(join_path(dir, name));
      if (stat.ok() && stat->is_regular() && stat->is_executable()) return true;
    }
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
  }
  return false;
}

bool equals_variable(const Env& env, std::string_view variable, std::string_view text) {
  const char* value = env.get(variable);
  return value && *value && value == text;
}

// `first` may be a workspace wrapper: it was named as a path or by cargo, or it is a program and no command of ours.
bool is_wrapper(FileSystem& fs, std::string_view first, const Env& env) {
  if (first.find('/') != std::string_view::npos || equals_variable(env, "RUSTC_WORKSPACE_WRAPPER", first)) return true;
  return !is_tool_command(first) && is_on_path(fs, first, env);
}

}  // namespace

// rustc_ast.rs is a source.
bool is_rustc_name(std::string_view path) { return is_name_or_variant(base_name(path), "rustc") && !path.ends_with(".rs"); }
bool is_clippy_driver(std::string_view path) { return is_name_or_variant(base_name(path), "clippy-driver"); }

bool is_tool_command(std::string_view word) {
  return std::find(std::begin(kToolCommands), std::end(kToolCommands), word) != std::end(kToolCommands);
}

Recognised recognise(FileSystem& fs, const std::vector<std::string>& args, const Env& env) {
  if (args.empty() || args[0].empty() || args[0][0] == '-') return {Recognised::tool};
  const std::string& first = args[0];
  if (is_clippy_driver(first)) return {Recognised::rustc};
  bool before_rustc = args.size() > 1 && (is_rustc_name(args[1]) || equals_variable(env, "RUSTC", args[1]));
  // A wrapper may be called rustc-wrapper: what is followed by a rustc is none itself.
  if (is_rustc_name(first)) return {before_rustc ? Recognised::chain : Recognised::rustc};
  if (equals_variable(env, "RUSTC", first)) return {Recognised::driver};
  if (before_rustc && is_wrapper(fs, first, env)) return {Recognised::chain};
  return {Recognised::tool};
}

}  // namespace kache
