#include "compiler/time_macros.h"

#include <string.h>

#include <iterator>

namespace kache {
namespace {

struct MacroRow {
  std::string_view name;
  bool TimeUse::*use;
};
constexpr MacroRow kMacros[] = {
    {"__DATE__", &TimeUse::clock}, {"__TIME__", &TimeUse::clock}, {"__TIMESTAMP__", &TimeUse::file}};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

bool contains(std::string_view text, std::string_view part) {
  return memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

// Where the comment or literal that begins at `i` ends; `i` where none begins.
size_t skip(std::string_view text, size_t i) {
  if (text.substr(i, 2) == "//") {
    size_t end = text.find('\n', i);
    while (end != std::string_view::npos && text[end - 1] == '\\') end = text.find('\n', end + 1);
    return end == std::string_view::npos ? text.size() : end;
  }
  if (text.substr(i, 2) == "/*") {
    size_t end = text.find("*/", i + 2);
    return end == std::string_view::npos ? text.size() : end + 2;
  }
  // A quote that is not closed in its line (an apostrophe in assembler or in a skipped part) hides nothing.
  if (text[i] != '"' && text[i] != '\'') return i;
  for (size_t end = i + 1; end < text.size() && text[end] != '\n'; ++end) {
    if (text[end] == '\\') ++end;
    else if (text[end] == text[i]) return end + 1;
  }
  return i;
}

void read_words(std::string_view text, TimeUse& use) {
  for (size_t i = 0; i < text.size();) {
    size_t behind = skip(text, i);
    if (behind != i) {
      i = behind;
      continue;
    }
    size_t end = i;
    while (end < text.size() && is_word(text[end])) ++end;
    for (const MacroRow& row : kMacros) {
      if (text.substr(i, end - i) == row.name) use.*row.use = true;
    }
    i = end == i ? i + 1 : end;
  }
}

}  // namespace

TimeUse find_time_macros(std::string_view source) {
  TimeUse use;
  // Nearly all files are done with one look for what is common to the three.
  if (contains(source, "__DATE__") || contains(source, "__TIME")) read_words(source, use);
  return use;
}

}  // namespace kache
