// Changes one value in a TOML text and nothing else: comments, order, unknown keys, line ends and spacing stay.
//
// The text is scanned for where its keys and values stand, the change is made in the bytes, and the result is parsed and
// compared with the document that was meant. A text for which that can not be shown is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kache {

using TomlPath = std::vector<std::string>;  // {"cache", "local_max_size"}

// Where the value of one key stands, and what has to go with it.
struct TomlEntry {
  TomlPath path;
  size_t table = 0;            // which of TomlLayout::tables it belongs to
  size_t start = 0;            // of the key
  size_t value = 0, end = 0;   // of the value
  size_t line_end = 0;         // behind the end of its line; of an inline entry the same as `end`
  bool is_inline = false;      // stands in { … }
  bool has_inline = false;     // its value is { … }
};

struct TomlTable {
  TomlPath path;
  bool is_array = false;  // [[…]], or below one
  size_t start = 0;       // of the header's line
  size_t body = 0;        // behind the header's line
};

struct TomlLayout {
  std::vector<TomlTable> tables;  // the first is the root
  std::vector<TomlEntry> entries;
};

// REQUIRES: `text` is valid TOML. Of a text that is not, something is returned.
TomlLayout scan_toml(std::string_view text);

// `literal` is the value as TOML; none: the key goes. `invalid` when the text is no TOML, or can not be changed safely.
Result<std::string> edit_toml(std::string_view text, const TomlPath& path, const std::optional<std::string>& literal);

// "a \"text\"" in quotes, and a list of such.
std::string toml_string(std::string_view text);
std::string toml_list(const std::vector<std::string>& items);

}  // namespace kache
