#include "cli/cargo_config.h"

#include <toml++/toml.h>

namespace kache {
namespace {

Result<std::string> current_value(const std::string& text, bool* has_build, size_t* build_line, size_t* value_line) {
  try {
    toml::table table = toml::parse(text);
    const toml::node* build = table.get("build");
    *has_build = build != nullptr;
    if (!build || !build->is_table()) return std::string();
    *build_line = build->source().begin.line;
    const toml::node* value = build->as_table()->get("rustc-wrapper");
    if (!value) return std::string();
    *value_line = value->source().begin.line;
    if (value->source().begin.line != value->source().end.line) {
      return Error{ErrorCode::invalid, 0, "rustc-wrapper spans several lines; edit it by hand"};
    }
    return value->value_or(std::string());
  } catch (const toml::parse_error& error) {
    return Error{ErrorCode::invalid, 0,
                 "line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description())};
  }
}

// The offset at which the line (counted from 1) begins.
size_t line_start(const std::string& text, size_t line) {
  size_t at = 0;
  for (; line > 1; --line) {
    at = text.find('\n', at);
    if (at == std::string::npos) return text.size();
    ++at;
  }
  return at;
}

std::string quoted(const std::string& value) {
  std::string out = "\"";
  for (char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// What was written must read back as meant, whatever the file looked like before.
Result<CargoEdit> checked(CargoEdit edit, const std::string& value) {
  bool has_build = false;
  size_t build_line = 0, value_line = 0;
  Result<std::string> now = current_value(edit.text, &has_build, &build_line, &value_line);
  if (now.ok() && *now == value) return edit;
  return Error{ErrorCode::invalid, 0, "its [build] table is written in a way that can not be edited safely; add rustc-wrapper = " +
                                          quoted(value) + " under [build] by hand"};
}

}  // namespace

Result<std::string> rustc_wrapper_of(const std::string& text) {
  bool has_build = false;
  size_t build_line = 0, value_line = 0;
  return current_value(text, &has_build, &build_line, &value_line);
}

Result<CargoEdit> set_rustc_wrapper(const std::string& text, const std::string& value) {
  bool has_build = false;
  size_t build_line = 0, value_line = 0;
  CargoEdit edit;
  edit.old_value = KACHE_TRY(current_value(text, &has_build, &build_line, &value_line));
  std::string setting = "rustc-wrapper = " + quoted(value);
  std::string newline = text.find("\r\n") != std::string::npos ? "\r\n" : "\n";
  edit.text = text;
  if (value_line != 0) {
    if (edit.old_value == value) {
      edit.kind = CargoEdit::already_set;
      return edit;
    }
    edit.kind = CargoEdit::replace;
    size_t start = line_start(text, value_line);
    size_t quote = text.find_first_of("\"'", start);
    size_t end = quote == std::string::npos ? quote : text.find(text[quote], quote + 1);
    if (end == std::string::npos) return checked(edit, value);
    edit.text.replace(quote, end + 1 - quote, quoted(value));
    return checked(edit, value);
  }
  edit.kind = text.empty() ? CargoEdit::create : CargoEdit::add;
  if (has_build) {
    size_t next = text.find('\n', line_start(text, build_line));
    size_t at = next == std::string::npos ? text.size() : next + 1;
    std::string before = next == std::string::npos ? newline : "";
    edit.text.insert(at, before + setting + newline);
  } else {
    if (!text.empty() && text.back() != '\n') edit.text += newline;
    if (!text.empty()) edit.text += newline;
    edit.text += "[build]" + newline + setting + newline;
  }
  return checked(edit, value);
}

}  // namespace kache
