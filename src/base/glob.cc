#include "base/glob.h"

#include <string>

namespace kache {
namespace {

constexpr int kMostAlternatives = 8;  // nested {…}: a pattern from a file must not cost exponential time

// Matches one character against the set that begins at pattern[0] == '['; `length` is the length of the set.
bool match_set(std::string_view pattern, char c, size_t* length) {
  size_t i = 1;
  bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  for (size_t first = i; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      found |= pattern[i] <= c && c <= pattern[i + 2];
      i += 2;
    } else {
      found |= pattern[i] == c;
    }
  }
  *length = i < pattern.size() ? i + 1 : 0;
  return *length != 0 && found != negated && c != '/';
}

bool match_plain(std::string_view pattern, std::string_view path) {
  // Where to go on when the rest does not match: behind the last * or **, one character later.
  size_t star_pattern = std::string_view::npos, star_path = 0;
  size_t deep_pattern = std::string_view::npos, deep_path = 0;
  size_t p = 0, s = 0;
  for (;;) {
    if (p == pattern.size() && s == path.size()) return true;
    if (p < pattern.size() && pattern.substr(p).starts_with("**")) {
      p += 2;
      if (p < pattern.size() && pattern[p] == '/') {
        // "**/" also stands for nothing.
        if (match_plain(pattern.substr(p + 1), path.substr(s))) return true;
      }
      deep_pattern = p;
      deep_path = s;
      star_pattern = std::string_view::npos;
      continue;
    }
    if (p < pattern.size() && pattern[p] == '*') {
      star_pattern = ++p;
      star_path = s;
      continue;
    }
    if (p < pattern.size() && s < path.size()) {
      size_t length = 1;
      bool matches = pattern[p] == '?'   ? path[s] != '/'
                     : pattern[p] == '[' ? match_set(pattern.substr(p), path[s], &length)
                                         : pattern[p] == path[s];
      if (matches) {
        p += length;
        ++s;
        continue;
      }
    }
    if (star_pattern != std::string_view::npos && star_path < path.size() && path[star_path] != '/') {
      p = star_pattern;
      s = ++star_path;
      continue;
    }
    if (deep_pattern != std::string_view::npos && deep_path < path.size()) {
      p = deep_pattern;
      s = ++deep_path;
      star_pattern = std::string_view::npos;
      continue;
    }
    return false;
  }
}

bool match_alternatives(std::string_view pattern, std::string_view path, int depth) {
  size_t open = pattern.find('{');
  size_t close = open == std::string_view::npos ? open : pattern.find('}', open);
  if (close == std::string_view::npos || depth == kMostAlternatives) return match_plain(pattern, path);
  std::string_view inside = pattern.substr(open + 1, close - open - 1);
  for (;;) {
    size_t comma = inside.find(',');
    std::string one(pattern.substr(0, open));
    one += inside.substr(0, comma);
    one += pattern.substr(close + 1);
    if (match_alternatives(one, path, depth + 1)) return true;
    if (comma == std::string_view::npos) return false;
    inside.remove_prefix(comma + 1);
  }
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view path) { return match_alternatives(pattern, path, 0); }

}  // namespace kache
