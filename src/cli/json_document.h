// Where the members of an object and the items of an array stand in a JSON text, for edits that leave all other bytes alone.
#pragma once

#include <string_view>
#include <vector>

namespace kache {

struct JsonSpan {
  size_t start = 0, end = 0;
};

struct JsonMember {
  std::string_view key;  // as it is written, without its quotes
  size_t start = 0;      // of the key
  JsonSpan value;
};

// REQUIRES: `text` is valid JSON, and a '{' or a '[' stands at `at`. Of other texts something is returned.
std::vector<JsonMember> json_members(std::string_view text, size_t at);
std::vector<JsonSpan> json_items(std::string_view text, size_t at);

}  // namespace kache
