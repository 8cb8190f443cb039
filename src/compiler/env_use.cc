#include "compiler/env_use.h"

namespace kache {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string_view trim_end(std::string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Takes `token` off the end of `text`, and the space around it; false where it does not stand there.
bool take_back(std::string_view& text, std::string_view token) {
  std::string_view rest = trim_end(text);
  if (!rest.ends_with(token)) return false;
  rest.remove_suffix(token.size());
  if (is_word(token.front()) && !rest.empty() && is_word(rest.back())) return false;
  text = rest;
  return true;
}

bool take_macro_back(std::string_view& text, std::string_view name) {
  std::string_view rest = text;
  if (!take_back(rest, "(") || !take_back(rest, "!") || !take_back(rest, name)) return false;
  text = rest;
  return true;
}

// `before` is what stands in front of `env`.
bool is_included(std::string_view before) {
  take_macro_back(before, "concat");
  return take_macro_back(before, "include") || take_macro_back(before, "include_str") ||
         take_macro_back(before, "include_bytes");
}

bool in_line_comment(std::string_view before) {
  std::string_view line = before.substr(before.rfind('\n') + 1);
  while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
  return line.starts_with("//");
}

}  // namespace

EnvUses find_env_uses(std::string_view source, std::string_view name) {
  EnvUses uses;
  for (size_t at = source.find(name); at != std::string_view::npos; at = source.find(name, at + 1)) {
    std::string_view before = source.substr(0, at);
    std::string_view after = source.substr(at + name.size());
    if (!before.ends_with('"') || !after.starts_with('"')) continue;
    before.remove_suffix(1);
    if (in_line_comment(before)) continue;
    // Raw strings, option_env!, a macro of the crate's own, a name in a list: all of them may make a value of it.
    std::string_view use = before;
    if (take_macro_back(use, "env") && is_included(use)) uses.includes++;
    else uses.values++;
  }
  return uses;
}

}  // namespace kache
