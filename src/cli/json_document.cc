#include "cli/json_document.h"

#include <algorithm>

namespace kache {
namespace {

size_t skip_blank(std::string_view text, size_t at) { return std::min(text.find_first_not_of(" \t\r\n", at), text.size()); }

size_t skip_string(std::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

// Never stands still, whatever the text.
size_t skip_value(std::string_view text, size_t at) {
  size_t depth = 0, start = at;
  do {
    char c = at < text.size() ? text[at] : '\0';
    if (c == '"') {
      at = skip_string(text, at);
    } else if (c == '{' || c == '[') {
      ++depth, ++at;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth, ++at;
    } else if (depth > 0) {
      ++at;
    } else {
      at = std::min(text.find_first_of(",]} \t\r\n", at), text.size());
    }
  } while (depth > 0 && at < text.size());
  return std::min(std::max(at, start + 1), text.size());
}

}  // namespace

std::vector<JsonMember> json_members(std::string_view text, size_t at) {
  std::vector<JsonMember> members;
  for (at = skip_blank(text, at + 1); at < text.size() && text[at] == '"'; at = skip_blank(text, at)) {
    JsonMember member;
    member.start = at;
    at = skip_string(text, at);
    member.key = text.substr(member.start + 1, at - member.start - 2);
    at = skip_blank(text, at);
    if (at < text.size() && text[at] == ':') ++at;
    member.value.start = skip_blank(text, at);
    at = member.value.end = skip_value(text, member.value.start);
    members.push_back(member);
    at = skip_blank(text, at);
    if (at >= text.size() || text[at] != ',') break;
    ++at;
  }
  return members;
}

std::vector<JsonSpan> json_items(std::string_view text, size_t at) {
  std::vector<JsonSpan> items;
  for (at = skip_blank(text, at + 1); at < text.size() && text[at] != ']'; at = skip_blank(text, at)) {
    JsonSpan item{at, skip_value(text, at)};
    items.push_back(item);
    at = skip_blank(text, item.end);
    if (at >= text.size() || text[at] != ',') break;
    ++at;
  }
  return items;
}

}  // namespace kache
