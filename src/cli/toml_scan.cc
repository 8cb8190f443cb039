// Where keys and values stand in a TOML text.
#include "cli/toml_document.h"

namespace kache {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t'; }

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  TomlLayout run() {
    layout_.tables.push_back({});
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    layout_.tables[0].body = at_;
    while (at_ < text_.size()) {
      size_t before = at_;
      scan_line();
      if (at_ <= before) at_ = before + 1;  // no TOML: go on all the same
    }
    return std::move(layout_);
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool at(std::string_view word) const { return text_.substr(at_).starts_with(word); }
  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  void skip_line() {
    size_t end = text_.find('\n', at_);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
  }
  // Between the items of an array.
  void skip_blank() {
    for (; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == '#') {
        skip_line();
        --at_;
      } else if (!is_space(c) && c != '\n' && c != '\r') {
        return;
      }
    }
  }

  void scan_line() {
    size_t line = at_;
    skip_spaces();
    char c = peek();
    if (c == '[') return scan_header(line);
    if (c != '#' && c != '\n' && c != '\r' && c != '\0') {
      scan_entry(layout_.tables.back().path, false);
      size_t entry = last_outer_;
      skip_line();
      layout_.entries[entry].line_end = at_;
      return;
    }
    skip_line();
  }

  void scan_header(size_t line) {
    TomlTable table;
    table.start = line;
    table.is_array = at("[[");
    at_ += table.is_array ? 2 : 1;
    table.path = scan_key();
    for (const TomlTable& other : layout_.tables) {
      bool is_below = other.is_array && other.path.size() < table.path.size() &&
                      std::equal(other.path.begin(), other.path.end(), table.path.begin());
      table.is_array = table.is_array || is_below;
    }
    skip_line();
    table.body = at_;
    layout_.tables.push_back(std::move(table));
  }

  void scan_entry(const TomlPath& prefix, bool is_inline) {
    size_t index = layout_.entries.size();
    layout_.entries.emplace_back();
    if (!is_inline) last_outer_ = index;
    TomlEntry entry;
    entry.table = layout_.tables.size() - 1;
    entry.is_inline = is_inline;
    entry.start = at_;
    entry.path = prefix;
    for (std::string& part : scan_key()) entry.path.push_back(std::move(part));
    skip_spaces();
    if (peek() == '=') ++at_;
    skip_spaces();
    entry.value = at_;
    entry.has_inline = peek() == '{';
    scan_value(entry.path);
    entry.end = entry.line_end = at_;
    layout_.entries[index] = std::move(entry);
  }

  // a."b.c".'d'
  TomlPath scan_key() {
    TomlPath path;
    while (true) {
      skip_spaces();
      char c = peek();
      size_t start = at_;
      if (c == '"' || c == '\'') {
        skip_string();
        path.push_back(unquoted(text_.substr(start, at_ - start)));
      } else {
        while (at_ < text_.size() && std::string_view(".=]} \t\r\n#,").find(text_[at_]) == std::string_view::npos) ++at_;
        path.emplace_back(text_.substr(start, at_ - start));
      }
      skip_spaces();
      if (peek() != '.') return path;
      ++at_;
    }
  }

  // Keys with escapes are left as they are written: they are none of ours, and a wrong guess is noticed afterwards.
  static std::string unquoted(std::string_view text) { return std::string(text.size() >= 2 ? text.substr(1, text.size() - 2) : text); }

  void skip_string() {
    char quote = text_[at_];
    std::string three(3, quote);
    bool is_long = at(three);
    at_ += is_long ? 3 : 1;
    while (at_ < text_.size()) {
      if (quote == '"' && text_[at_] == '\\') {
        at_ += 2;
      } else if (is_long ? at(three) : text_[at_] == quote) {
        at_ += is_long ? 3 : 1;
        while (is_long && peek() == quote) ++at_;  // quotes just before the end belong to the text
        break;
      } else if (!is_long && text_[at_] == '\n') {
        break;
      } else {
        ++at_;
      }
    }
    if (at_ > text_.size()) at_ = text_.size();
  }

  void scan_value(const TomlPath& path) {
    char c = peek();
    if (c == '"' || c == '\'') return skip_string();
    if (c == '[') return skip_array();
    if (c == '{') return scan_inline(path);
    size_t start = at_;
    while (at_ < text_.size() && std::string_view(",]}\r\n#").find(text_[at_]) == std::string_view::npos) ++at_;
    while (at_ > start && is_space(text_[at_ - 1])) --at_;
  }

  // What stands in an array can not be named by a path.
  void skip_array() {
    size_t depth = 0;
    do {
      char c = peek();
      if (c == '[' || c == '{') ++depth;
      if (c == ']' || c == '}') --depth;
      if (c == '"' || c == '\'') skip_string();
      else ++at_;
      if (depth > 0) skip_blank();
    } while (depth > 0 && at_ < text_.size());
  }

  void scan_inline(const TomlPath& path) {
    ++at_;
    while (at_ < text_.size()) {
      skip_blank();
      if (peek() == '}') {
        ++at_;
        return;
      }
      size_t before = at_;
      if (peek() == ',') ++at_;
      else scan_entry(path, true);
      if (at_ <= before) ++at_;
    }
  }

  std::string_view text_;
  size_t at_ = 0, last_outer_ = 0;
  TomlLayout layout_;
};

}  // namespace

TomlLayout scan_toml(std::string_view text) { return Scanner(text).run(); }

}  // namespace kache
