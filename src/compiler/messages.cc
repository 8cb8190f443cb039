#include <cstdint>

#include "compiler/text_token.h"

namespace kache {
namespace {

// The one line of rustc's JSON that names a local path by itself (rustc_errors/src/json.rs, `ArtifactNotification`).
constexpr std::string_view kArtifactHead = "{\"$message_type\":\"artifact\",\"artifact\":\"";
constexpr std::string_view kArtifactTail = "\",\"emit\":\"";

bool unescape_json(std::string_view text, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    char next = ++i < text.size() ? text[i] : '\0';
    if (next != '"' && next != '\\') return false;  // control characters in paths stay as they are written
    out += next;
  }
  return true;
}

void escape_json(std::string_view text, std::string& out) {
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
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

// The path inside an artifact line, as a range of `line`; false for any other line.
bool find_artifact(std::string_view line, size_t* start, size_t* end) {
  if (!line.starts_with(kArtifactHead)) return false;
  *start = kArtifactHead.size();
  for (size_t i = *start; i < line.size(); ++i) {
    if (line[i] == '\\') ++i;
    else if (line[i] == '"') {
      *end = i;
      return line.substr(i).starts_with(kArtifactTail);
    }
  }
  return false;
}

}  // namespace

std::vector<TextToken> tokenize_messages(std::string_view bytes) {
  std::vector<TextToken> tokens;
  auto literal = [&](std::string_view text) {
    if (text.empty()) return;
    if (tokens.empty() || tokens.back().kind != TextToken::literal) tokens.push_back({TextToken::literal, ""});
    tokens.back().text += text;
  };
  while (!bytes.empty()) {
    size_t newline = bytes.find('\n');
    size_t length = newline == std::string_view::npos ? bytes.size() : newline + 1;
    std::string_view line = bytes.substr(0, length);
    bytes.remove_prefix(length);
    size_t start = 0, end = 0;
    std::string path;
    if (find_artifact(line, &start, &end) && unescape_json(line.substr(start, end - start), path)) {
      literal(line.substr(0, start));
      tokens.push_back({TextToken::json_path, std::move(path)});
      literal(line.substr(end));
    } else {
      literal(line);
    }
  }
  return tokens;
}

std::string render_tokens(const std::vector<TextToken>& tokens) {
  std::string out;
  for (const TextToken& token : tokens) {
    switch (token.kind) {
      case TextToken::literal: out += token.text; break;
      case TextToken::make_path: escape_make(token.text, out); break;
      case TextToken::env_value: escape_env(token.text, out); break;
      case TextToken::json_path: escape_json(token.text, out); break;
    }
  }
  return out;
}

}  // namespace kache
