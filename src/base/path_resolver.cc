#include "base/path_resolver.h"

#include "base/path.h"

namespace kache {
namespace {

constexpr int kMostLinks = 40;  // as the kernel

}  // namespace

std::string PathResolver::place(std::string_view path) {
  std::string_view name = base_name(path);
  if (name.empty() || name == "." || name == "..") return real(path);
  return join_path(real(dir_name(path)), name);
}

std::string PathResolver::resolve(std::string_view path, int links) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  if (path.size() <= 1 || links > kMostLinks) return std::string(path);
  auto known = known_.find(std::string(path));
  if (known != known_.end()) return known->second;

  std::string parent = resolve(dir_name(path), links);
  std::string_view name = base_name(path);
  std::string out;
  if (name == "..") {
    out = dir_name(parent);
  } else if (name.empty() || name == ".") {
    out = parent;
  } else {
    out = join_path(parent, name);
    Result<std::string> target = fs_.read_link(out);
    if (target.ok() && !target->empty()) out = resolve(join_path(parent, *target), links + 1);
  }
  known_.emplace(path, out);
  return out;
}

}  // namespace kache
