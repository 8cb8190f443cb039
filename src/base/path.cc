#include "base/path.h"

namespace kache {

std::string_view base_name(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view dir_name(std::string_view path) {
  size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {};
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::string_view without_extension(std::string_view path) {
  size_t dot = path.rfind('.'), slash = path.rfind('/');
  size_t name = slash == std::string_view::npos ? 0 : slash + 1;
  return dot == std::string_view::npos || dot <= name ? path : path.substr(0, dot);
}

std::string join_path(std::string_view dir, std::string_view rel) {
  if (is_absolute(rel) || dir.empty()) return std::string(rel);
  if (rel.empty()) return std::string(dir);
  std::string out;
  out.reserve(dir.size() + 1 + rel.size());
  out.append(dir);
  if (out.back() != '/') out.push_back('/');
  out.append(rel);
  return out;
}

std::string tidy_path(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  size_t i = 0;
  while (i < path.size()) {
    if (path[i] == '/') {
      if (out.empty() || out.back() != '/') out.push_back('/');
      ++i;
      continue;
    }
    size_t end = path.find('/', i);
    if (end == std::string_view::npos) end = path.size();
    std::string_view part = path.substr(i, end - i);
    if (part != ".") out.append(part);
    else if (end < path.size()) ++end;  // "./x": the slash goes with the dot
    i = end;
  }
  if (out.size() > 1 && out.back() == '/') out.pop_back();
  if (out.empty() && !path.empty()) out = ".";
  return out;
}

std::string absolute_path(std::string_view cwd, std::string_view path) { return tidy_path(join_path(cwd, path)); }

bool is_below(std::string_view path, std::string_view prefix) {
  if (prefix.empty() || path.size() < prefix.size() || path.compare(0, prefix.size(), prefix) != 0) return false;
  return path.size() == prefix.size() || prefix.back() == '/' || path[prefix.size()] == '/';
}

std::string_view relative_to(std::string_view path, std::string_view prefix) {
  std::string_view rest = path.substr(prefix.size());
  while (!rest.empty() && rest[0] == '/') rest.remove_prefix(1);
  return rest;
}

}  // namespace kache
