#include <algorithm>
#include <iterator>

#include "compiler/text_token.h"

namespace kache {
namespace {

// The one line of rustc's JSON that names a local path by itself (rustc_errors' json.rs, `ArtifactNotification`):
// {"$message_type":"artifact","artifact":"/x/libfoo.rmeta","emit":"metadata"}, in older compilers without the type.
constexpr std::string_view kHeads[] = {"{\"$message_type\":\"artifact\",\"artifact\":\"", "{\"artifact\":\""};
constexpr std::string_view kMiddle = "\",\"emit\":\"";
constexpr std::string_view kTail = "\"}\n";

// The short escapes of serde_json, which writes rustc's messages; other control characters are \u00xx.
struct JsonEscape {
  char plain, letter;
};
constexpr JsonEscape kJsonEscapes[] = {{'"', '"'},  {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'},
                                       {'\n', 'n'}, {'\r', 'r'},  {'\t', 't'}};
constexpr std::string_view kHex = "0123456789abcdef";

void escape_json(std::string_view text, std::string& out) {
  for (char c : text) {
    auto row = std::find_if(std::begin(kJsonEscapes), std::end(kJsonEscapes),
                            [&](const JsonEscape& escape) { return escape.plain == c; });
    if (row != std::end(kJsonEscapes)) {
      out += '\\';
      out += row->letter;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[c & 15];
    } else {
      out += c;
    }
  }
}

// One escape sequence at `text[i]`, a backslash; moves `i` to its last character.
bool unescape_one(std::string_view text, size_t& i, std::string& out) {
  if (i + 1 >= text.size()) return false;
  char letter = text[++i];
  for (const JsonEscape& row : kJsonEscapes) {
    if (row.letter == letter) return out += row.plain, true;
  }
  if (letter != 'u' || i + 4 >= text.size() || text.substr(i + 1, 2) != "00") return false;
  size_t high = kHex.find(text[i + 3]), low = kHex.find(text[i + 4]);
  if (high == std::string_view::npos || low == std::string_view::npos) return false;
  out += static_cast<char>(high << 4 | low);
  i += 4;
  return true;
}

bool unescape_json(std::string_view text, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') out += text[i];
    else if (!unescape_one(text, i, out)) return false;
  }
  return true;
}

// The escaped path of an artifact line with its line end, as a part of `line`; empty for every other line.
std::string_view artifact_of(std::string_view line) {
  auto head = std::find_if(std::begin(kHeads), std::end(kHeads), [&](std::string_view h) { return line.starts_with(h); });
  if (head == std::end(kHeads) || !line.ends_with(kTail)) return {};
  std::string_view rest = line.substr(head->size());
  size_t end = 0;
  while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
  if (end >= rest.size() || !rest.substr(end).starts_with(kMiddle)) return {};
  std::string_view kind = rest.substr(end + kMiddle.size());
  kind = kind.substr(0, kind.find('"'));
  bool is_kind = !kind.empty() && kind.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string_view::npos;
  bool is_all = is_kind && rest.size() == end + kMiddle.size() + kind.size() + kTail.size();
  return is_all ? rest.substr(0, end) : std::string_view();
}

void escape_make(std::string_view text, std::string& out) {
  for (char c : text) {
    if (c == ' ') out += '\\';
    out += c;
  }
}

void escape_env(std::string_view text, std::string& out) {
  for (char c : text) {
    if (c == '\\') out += "\\\\";
    else if (c == '\n') out += "\\n";
    else if (c == '\r') out += "\\r";
    else out += c;
  }
}

}  // namespace

void append_literal(std::vector<TextToken>& tokens, std::string_view text) {
  if (text.empty()) return;
  if (tokens.empty() || tokens.back().kind != TextToken::literal) tokens.push_back({});
  tokens.back().text += text;
}

std::string_view take_line(std::string_view& rest) {
  size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end == std::string_view::npos ? end : end + 1);
  rest.remove_prefix(line.size());
  return line;
}

std::vector<TextToken> tokenize_messages(std::string_view bytes) {
  std::vector<TextToken> tokens;
  while (!bytes.empty()) {
    std::string_view line = take_line(bytes);
    std::string_view escaped = artifact_of(line);
    std::string path, again;
    // Only what comes back as it was: rustc has one spelling for each path.
    if (!escaped.empty() && unescape_json(escaped, path)) escape_json(path, again);
    if (again.empty() || again != escaped) {
      append_literal(tokens, line);
      continue;
    }
    auto start = static_cast<size_t>(escaped.data() - line.data());
    append_literal(tokens, line.substr(0, start));
    tokens.push_back({TextToken::json_path, std::move(path)});
    append_literal(tokens, line.substr(start + escaped.size()));
  }
  return tokens;
}

std::string render_tokens(const std::vector<TextToken>& tokens) {
  std::string out;
  for (const TextToken& token : tokens) {
    switch (token.kind) {
      case TextToken::literal:
      case TextToken::depfile_layout:  // a whole depfile is written by write_depfile
      case TextToken::depfile_path:
      case TextToken::target_path: out += token.text; break;
      case TextToken::make_path: escape_make(token.text, out); break;
      case TextToken::env_value: escape_env(token.text, out); break;
      case TextToken::json_path: escape_json(token.text, out); break;
    }
  }
  return out;
}

}  // namespace kache
