#include "compiler/text_token.h"

namespace kache {
namespace {

// What stands before the path of a line: nothing, the beginning of a list of including files, or its continuation.
constexpr std::string_view kHeads[] = {"In file included from ", "                 from "};

// The path that the line begins with, where a place follows it: "/w/a.c:3:5: warning: …", "/w/a.c: In function …".
std::string_view leading_path(std::string_view line) {
  if (line.empty() || line[0] != '/') return {};
  size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon + 1 >= line.size()) return {};
  char next = line[colon + 1];
  bool is_place = (next >= '0' && next <= '9') || next == ' ' || next == '\x1b';
  std::string_view path = line.substr(0, colon);
  return is_place && path.find(' ') == std::string_view::npos ? path : std::string_view();
}

}  // namespace

std::vector<TextToken> tokenize_cc_messages(std::string_view bytes) {
  std::vector<TextToken> tokens;
  while (!bytes.empty()) {
    std::string_view line = take_line(bytes);
    for (std::string_view head : kHeads) {
      if (!line.starts_with(head)) continue;
      append_literal(tokens, head);
      line.remove_prefix(head.size());
      break;
    }
    std::string_view path = leading_path(line);
    if (!path.empty()) tokens.push_back({TextToken::target_path, std::string(path)});
    append_literal(tokens, line.substr(path.size()));
  }
  return tokens;
}

}  // namespace kache
