// Any text, key and value: the edit is refused, or the new text parses to the same document with only this key changed.
#include <cstdlib>
#include <sstream>
#include <string_view>

#include <toml++/toml.h>

#include "cli/toml_document.h"

using namespace kache;

namespace {

// What the document says, without the key and without the empty tables that it leaves.
std::string without(const toml::table& document, const TomlPath& path) {
  toml::table rest = document;
  toml::table* at = &rest;
  for (size_t i = 0; at && i + 1 < path.size(); ++i) at = at->get_as<toml::table>(path[i]);
  if (at) at->erase(path.back());
  for (size_t length = path.size() - 1; length > 0; --length) {
    toml::table* above = &rest;
    for (size_t i = 0; above && i + 1 < length; ++i) above = above->get_as<toml::table>(path[i]);
    toml::table* table = above ? above->get_as<toml::table>(path[length - 1]) : nullptr;
    if (table && table->empty()) above->erase(path[length - 1]);
  }
  std::ostringstream out;
  out << rest;
  return out.str();
}

const toml::node* find(const toml::table& document, const TomlPath& path) {
  const toml::table* at = &document;
  for (size_t i = 0; at && i + 1 < path.size(); ++i) at = at->get_as<toml::table>(path[i]);
  return at ? at->get(path.back()) : nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // "key\nvalue\ntext": keys are taken from the text's own alphabet so that they meet.
  size_t key_end = bytes.find('\n'), value_end = key_end == std::string_view::npos ? key_end : bytes.find('\n', key_end + 1);
  if (value_end == std::string_view::npos) return 0;
  TomlPath path(1);
  for (char c : bytes.substr(0, key_end)) {
    if (c == '.') path.emplace_back();
    else path.back() += c;
  }
  std::string value(bytes.substr(key_end + 1, value_end - key_end - 1)), text(bytes.substr(value_end + 1));
  bool is_unset = value.empty();
  Result<std::string> edited = edit_toml(text, path, is_unset ? std::nullopt : std::optional<std::string>(toml_string(value)));
  (void)edit_toml(text, path, value);  // as a literal: refused, or proven inside
  if (!edited.ok()) return 0;
  try {
    toml::table before = toml::parse(text), after = toml::parse(*edited);
    if (without(before, path) != without(after, path)) std::abort();
    const toml::node* now = find(after, path);
    if (is_unset ? now != nullptr && find(before, path) != nullptr && !now->is_table() : !now || now->value_or(std::string()) != value) std::abort();
  } catch (const toml::parse_error&) {
    std::abort();
  }
  return 0;
}
