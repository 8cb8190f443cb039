#include "remote/recheck_contents.h"

#include <algorithm>

namespace kache {
namespace {

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
}

}  // namespace

Digest content_of(const Contents& contents, const std::string& name) {
  auto found = contents.find(name);
  return found == contents.end() ? Digest{} : found->second;
}

std::vector<std::string> unequal(const Contents& a, const Contents& b) {
  std::vector<std::string> names;
  for (const auto& [name, digest] : a) {
    if (content_of(b, name) != digest) names.push_back(name);
  }
  for (const auto& [name, digest] : b) {
    if (a.count(name) == 0) names.push_back(name);
  }
  return names;
}

bool is_unquoted(std::string_view path) {
  return std::all_of(path.begin(), path.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("/._-+,=@~").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

std::string moved_back(std::string text, const std::vector<RedirectedDir>& dirs) {
  for (const RedirectedDir& dir : dirs) {
    replace_all(text, dir.to + "/", dir.from.empty() || dir.from.ends_with('/') ? dir.from : dir.from + "/");
    replace_all(text, dir.to, dir.from);
  }
  return text;
}

}  // namespace kache
