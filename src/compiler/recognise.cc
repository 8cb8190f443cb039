#include <algorithm>

#include "base/path.h"
#include "compiler/compilers.h"

namespace kache {
namespace {

// "rustc" and nothing but a version or a variant behind it: rustc-1.95, rustc_nightly, rustc1.85, rustc.exe.
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

}  // namespace

bool is_rustc_name(std::string_view path) { return is_name_or_variant(base_name(path), "rustc"); }
bool is_clippy_driver(std::string_view path) { return is_name_or_variant(base_name(path), "clippy-driver"); }

Recognised recognise(FileSystem& fs, const std::vector<std::string>& args, const Env& env) {
  if (args.empty() || args[0].empty() || args[0][0] == '-') return {Recognised::tool};
  const std::string& first = args[0];
  if (is_rustc_name(first) || is_clippy_driver(first)) return {Recognised::rustc};
  if (env.has("RUSTC") && first == env.get_or_empty("RUSTC")) return {Recognised::driver};
  // kache <workspace wrapper> <rustc> args: the wrapper may do anything, so it runs and is never cached.
  if (args.size() > 1 && is_rustc_name(args[1])) {
    bool is_wrapper = first.find('/') != std::string::npos || first == env.get_or_empty("RUSTC_WORKSPACE_WRAPPER") ||
                      is_on_path(fs, first, env);
    if (is_wrapper) return {Recognised::chain};
  }
  return {Recognised::tool};
}

}  // namespace kache
