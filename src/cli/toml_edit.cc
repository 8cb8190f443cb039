// The change of one value, and the proof that nothing else changed.
#include <algorithm>
#include <cmath>

#include <toml++/toml.h>

#include "base/utf8.h"
#include "cli/toml_document.h"

namespace kache {
namespace {

Error invalid(std::string message) { return {ErrorCode::invalid, 0, std::move(message)}; }

Result<toml::table> parse(std::string_view text) {
  try {
    return toml::table(toml::parse(text));
  } catch (const toml::parse_error& error) {
    return invalid("line " + std::to_string(error.source().begin.line) + ", column " + std::to_string(error.source().begin.column) + ": " +
                   std::string(error.description()));
  }
}

bool is_same(const toml::node& a, const toml::node& b);

bool is_same(const toml::table& a, const toml::table& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [key, node] : a) {
    const toml::node* other = b.get(key.str());
    if (!other || !is_same(node, *other)) return false;
  }
  return true;
}

bool is_same(const toml::node& a, const toml::node& b) {
  if (a.type() != b.type()) return false;
  if (const auto* table = a.as_table()) return is_same(*table, *b.as_table());
  if (const auto* array = a.as_array()) {
    const toml::array& other = *b.as_array();
    if (array->size() != other.size()) return false;
    for (size_t i = 0; i < array->size(); ++i) {
      if (!is_same(*array->get(i), *other.get(i))) return false;
    }
    return true;
  }
  if (const auto* number = a.as_floating_point()) {
    double x = number->get(), y = b.as_floating_point()->get();
    return std::isnan(x) ? std::isnan(y) : x == y;
  }
  if (const auto* value = a.as_string()) return value->get() == b.as_string()->get();
  if (const auto* value = a.as_integer()) return value->get() == b.as_integer()->get();
  if (const auto* value = a.as_boolean()) return value->get() == b.as_boolean()->get();
  if (const auto* value = a.as_date()) return value->get() == b.as_date()->get();
  if (const auto* value = a.as_time()) return value->get() == b.as_time()->get();
  if (const auto* value = a.as_date_time()) return value->get() == b.as_date_time()->get();
  return false;
}

// The table that holds the last part of the path. Made where it is not there, if `create`; nullptr when there is none, or
// something else stands there.
toml::table* holder(toml::table& root, const TomlPath& path, bool create) {
  toml::table* at = &root;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    toml::node* next = at->get(path[i]);
    if (!next && create) next = &at->insert_or_assign(path[i], toml::table()).first->second;
    at = next ? next->as_table() : nullptr;
    if (!at) return nullptr;
  }
  return at;
}

// Tables on the way to the path that hold nothing: a document with them is no other than one without.
void drop_empty(toml::table& root, const TomlPath& path) {
  for (size_t length = path.size() - 1; length > 0; --length) {
    TomlPath part(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(length));
    toml::table* above = holder(root, part, false);
    toml::node* table = above ? above->get(part.back()) : nullptr;
    if (table && table->is_table() && table->as_table()->empty()) above->erase(part.back());
  }
}

std::string key_text(const std::string& part) {
  bool is_bare = !part.empty() && std::all_of(part.begin(), part.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return is_bare ? part : toml_string(part);
}

std::string dotted(TomlPath::const_iterator from, TomlPath::const_iterator to) {
  std::string out;
  for (; from != to; ++from) out += (out.empty() ? "" : ".") + key_text(*from);
  return out;
}

bool starts_with(const TomlPath& path, const TomlPath& head) {
  return head.size() <= path.size() && std::equal(head.begin(), head.end(), path.begin());
}

// One text and the ways to change it. Each way may be wrong for the text at hand: the caller compares.
class Editor {
 public:
  Editor(std::string_view text, const TomlPath& path) : text_(text), path_(path), layout_(scan_toml(text)) {
    size_t first = text.find('\n');
    newline_ = first != std::string_view::npos && first > 0 && text[first - 1] == '\r' ? "\r\n" : "\n";
  }

  // Texts in which the key has this value, best first.
  std::vector<std::string> with(const std::string& literal) const {
    std::vector<std::string> ways;
    if (const TomlEntry* entry = own_entry()) {
      ways.push_back(replaced(entry->value, entry->end, literal));
      return ways;
    }
    for (const TomlEntry& entry : layout_.entries) {
      if (entry.has_inline && !in_array(entry) && starts_with(path_, entry.path)) ways.push_back(inside(entry, literal));
    }
    std::reverse(ways.begin(), ways.end());  // the innermost first
    const TomlPath parent(path_.begin(), path_.end() - 1);
    for (size_t i = 0; i < layout_.tables.size(); ++i) {
      const TomlTable& table = layout_.tables[i];
      if (!table.is_array && table.path == parent && (i > 0 || parent.empty())) ways.push_back(in_table(i, literal));
    }
    for (const TomlEntry& entry : layout_.entries) {  // beside a.b = 1 and a.c = 2
      bool beside = !entry.is_inline && !in_array(entry) && entry.path.size() > parent.size() && starts_with(entry.path, parent);
      if (beside && layout_.tables[entry.table].path.size() < parent.size()) ways.push_back(behind(entry, literal));
    }
    if (!parent.empty()) ways.push_back(at_end(parent, literal));
    for (size_t i = 1; i < layout_.tables.size(); ++i) {
      const TomlTable& table = layout_.tables[i];
      if (!table.is_array && starts_with(parent, table.path)) ways.push_back(in_table(i, literal));
    }
    ways.push_back(in_table(0, literal));
    return ways;
  }

  std::vector<std::string> without() const {
    const TomlEntry* entry = own_entry();
    if (!entry) return {};
    if (!entry->is_inline) return {replaced(line_start(entry->start), entry->line_end, "")};
    size_t comma_before = text_.find_last_not_of(" \t", entry->start - 1);
    size_t comma_behind = text_.find_first_not_of(" \t", entry->end);
    std::vector<std::string> ways;
    if (comma_behind != std::string_view::npos && text_[comma_behind] == ',') {
      size_t next = text_.find_first_not_of(" \t", comma_behind + 1);
      ways.push_back(replaced(entry->start, next, ""));
    }
    if (comma_before != std::string_view::npos && text_[comma_before] == ',') ways.push_back(replaced(comma_before, entry->end, ""));
    ways.push_back(replaced(entry->start, entry->end, ""));
    return ways;
  }

 private:
  bool in_array(const TomlEntry& entry) const { return layout_.tables[entry.table].is_array; }

  const TomlEntry* own_entry() const {
    for (const TomlEntry& entry : layout_.entries) {
      if (entry.path == path_ && !in_array(entry)) return &entry;
    }
    return nullptr;
  }

  std::string replaced(size_t from, size_t to, const std::string& with) const {
    return std::string(text_.substr(0, from)) + with + std::string(text_.substr(std::min(to, text_.size())));
  }

  size_t line_start(size_t at) const {
    size_t before = at == 0 ? std::string_view::npos : text_.rfind('\n', at - 1);
    return before == std::string_view::npos ? (text_.starts_with("\xEF\xBB\xBF") ? 3 : 0) : before + 1;
  }

  std::string setting(const TomlPath& table, const std::string& literal) const {
    return dotted(path_.begin() + static_cast<std::ptrdiff_t>(table.size()), path_.end()) + " = " + literal;
  }

  // A line more at `at`, which is the start of a line or the end of the text.
  std::string with_line(size_t at, const std::string& line) const {
    bool needs_end = at > 0 && at == text_.size() && text_[at - 1] != '\n' && text_ != "\xEF\xBB\xBF";
    return replaced(at, at, (needs_end ? newline_ : "") + line + newline_);
  }

  std::string in_table(size_t index, const std::string& literal) const {
    const TomlTable& table = layout_.tables[index];
    size_t at = table.body;
    std::string indent;
    for (const TomlEntry& entry : layout_.entries) {
      if (entry.table != index || entry.is_inline) continue;
      at = entry.line_end;
      indent = std::string(text_.substr(line_start(entry.start), entry.start - line_start(entry.start)));
    }
    return with_line(at, indent + setting(table.path, literal));
  }

  std::string behind(const TomlEntry& entry, const std::string& literal) const {
    std::string indent(text_.substr(line_start(entry.start), entry.start - line_start(entry.start)));
    return with_line(entry.line_end, indent + setting(layout_.tables[entry.table].path, literal));
  }

  // Into { … }, behind what is there.
  std::string inside(const TomlEntry& outer, const std::string& literal) const {
    size_t close = outer.end - 1, last = text_.find_last_not_of(" \t", close - 1);
    std::string line = setting(outer.path, literal);
    if (text_[last] == '{') return replaced(last + 1, close, " " + line + " ");
    return replaced(last + 1, last + 1, ", " + line);
  }

  std::string at_end(const TomlPath& table, const std::string& literal) const {
    std::string gap = text_.find_first_not_of(" \t\r\n\xEF\xBB\xBF") == std::string_view::npos ? "" : newline_;
    return with_line(text_.size(), gap + "[" + dotted(table.begin(), table.end()) + "]" + newline_ + setting(table, literal));
  }

  std::string_view text_;
  const TomlPath& path_;
  TomlLayout layout_;
  std::string newline_;
};

}  // namespace

std::string toml_string(std::string_view text) {
  constexpr const char* kHex = "0123456789abcdef";
  std::string out = "\"";
  for (char c : text) {
    unsigned char byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (byte < 0x20 || byte == 0x7f) out += std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
    else out += c;
  }
  return out + "\"";
}

std::string toml_list(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) out += (out.size() > 1 ? ", " : "") + toml_string(item);
  return out + "]";
}

Result<std::string> edit_toml(std::string_view text, const TomlPath& path, const std::optional<std::string>& literal) {
  if (path.empty()) return invalid("no key is named");
  toml::table before = KACHE_TRY(parse(text)), meant = before;
  toml::table* table = holder(meant, path, literal.has_value());
  if (!table) return literal ? Result<std::string>(invalid("something else than a table stands above it")) : std::string(text);
  toml::node* old = table->get(path.back());
  if (!literal && !old) return std::string(text);
  if (old && old->is_table()) return invalid("it is a table, not a value");
  if (literal) {
    toml::table value = KACHE_TRY(parse("x = " + *literal + "\n"));
    if (value.size() != 1 || !value.get("x")) return invalid("this is no value");
    table->insert_or_assign(path.back(), *value.get("x"));
  } else {
    table->erase(path.back());
  }
  drop_empty(meant, path);

  Editor editor(text, path);
  for (std::string& way : literal ? editor.with(*literal) : editor.without()) {
    Result<toml::table> after = parse(way);
    if (!after.ok()) continue;
    drop_empty(*after, path);
    if (is_same(meant, *after)) return std::move(way);
  }
  return invalid("it is written in a way that can not be edited safely; edit it by hand");
}

}  // namespace kache
