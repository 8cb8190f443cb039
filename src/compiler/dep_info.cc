#include <algorithm>

#include "compiler/text_token.h"

// rustc writes (compiler/rustc_interface/src/passes.rs): a rule for each output, an empty rule for each source,
// "# env-dep:NAME[=VALUE]" and "# checksum:…" lines. In paths a space is "\ "; in values of variables backslash, line feed
// and carriage return are escaped; nothing else.
namespace kache {
namespace {

constexpr std::string_view kEnvDep = "# env-dep:";
constexpr std::string_view kChecksum = "# checksum:";

class Tokenizer {
 public:
  Result<std::vector<TextToken>> run(std::string_view bytes) {
    while (!bytes.empty()) {
      size_t end = bytes.find('\n');
      if (end == std::string_view::npos) return Error{ErrorCode::corrupt, 0, "dep-info: the last line has no end"};
      KACHE_TRY(line(bytes.substr(0, end)));
      literal("\n");
      bytes.remove_prefix(end + 1);
    }
    return std::move(tokens_);
  }

 private:
  void literal(std::string_view text) {
    if (text.empty()) return;
    if (tokens_.empty() || tokens_.back().kind != TextToken::literal) tokens_.push_back({TextToken::literal, ""});
    tokens_.back().text += text;
  }

  void path(std::string_view word) {
    std::string text;
    for (size_t i = 0; i < word.size(); ++i) {
      if (word[i] == '\\' && i + 1 < word.size() && word[i + 1] == ' ') ++i;
      text += word[i];
    }
    tokens_.push_back({TextToken::make_path, std::move(text)});
  }

  Status line(std::string_view text) {
    if (text.starts_with(kEnvDep)) return env_dep(text);
    if (text.starts_with(kChecksum)) return checksum(text);
    if (text.empty() || text[0] == '#') return literal(text), Ok{};
    return rule(text);
  }

  Status env_dep(std::string_view text) {
    size_t equals = text.find('=');
    if (equals == std::string_view::npos) return literal(text), Ok{};
    literal(text.substr(0, equals + 1));
    std::string value;
    for (size_t i = equals + 1; i < text.size(); ++i) {
      if (text[i] != '\\') {
        value += text[i];
        continue;
      }
      char next = ++i < text.size() ? text[i] : '\0';
      if (next == '\\') value += '\\';
      else if (next == 'n') value += '\n';
      else if (next == 'r') value += '\r';
      else return Error{ErrorCode::corrupt, 0, "dep-info: unknown escape in the value of a variable"};
    }
    tokens_.push_back({TextToken::env_value, std::move(value)});
    return Ok{};
  }

  // "# checksum:blake3=… file_len:12 path"
  Status checksum(std::string_view text) {
    size_t length = text.find(" file_len:");
    size_t space = length == std::string_view::npos ? length : text.find(' ', length + 1);
    if (space == std::string_view::npos) return literal(text), Ok{};
    literal(text.substr(0, space + 1));
    path(text.substr(space + 1));
    return Ok{};
  }

  // "target: word word" or "target:"
  Status rule(std::string_view text) {
    size_t colon = text.find(": ");
    if (colon == std::string_view::npos) {
      if (!text.ends_with(':')) return Error{ErrorCode::corrupt, 0, "dep-info: a line that is no rule"};
      path(text.substr(0, text.size() - 1));
      literal(":");
      return Ok{};
    }
    path(text.substr(0, colon));
    literal(":");
    for (size_t start = colon + 1; start < text.size();) {
      literal(" ");
      ++start;
      size_t end = start;
      while (end < text.size() && !(text[end] == ' ' && (end == start || text[end - 1] != '\\'))) ++end;
      if (end > start) path(text.substr(start, end - start));
      start = end;
    }
    return Ok{};
  }

  std::vector<TextToken> tokens_;
};

std::string_view after_last(std::string_view text, char c) {
  size_t place = text.rfind(c);
  return place == std::string_view::npos ? text : text.substr(place + 1);
}

}  // namespace

Result<std::vector<TextToken>> tokenize_dep_info(std::string_view bytes) { return Tokenizer().run(bytes); }

Result<DepInfo> parse_dep_info(std::string_view bytes) {
  std::vector<TextToken> tokens = KACHE_TRY(tokenize_dep_info(bytes));
  DepInfo info;
  bool at_line_start = true;
  auto add = [](std::vector<std::string>& list, const std::string& path) {
    if (std::find(list.begin(), list.end(), path) == list.end()) list.push_back(path);
  };
  for (size_t i = 0; i < tokens.size(); ++i) {
    const TextToken& token = tokens[i];
    switch (token.kind) {
      case TextToken::literal: {
        // Lines without a value: "# env-dep:NAME"; with one, the name ends this literal.
        std::string_view rest = token.text;
        while (!rest.empty()) {
          size_t end = rest.find('\n');
          std::string_view line = rest.substr(0, end);
          if (line.starts_with(kEnvDep)) {
            std::string_view name = line.substr(kEnvDep.size());
            bool has_value = name.ends_with('=') && end == std::string_view::npos && i + 1 < tokens.size() &&
                             tokens[i + 1].kind == TextToken::env_value;
            if (has_value) info.env.push_back({std::string(name.substr(0, name.size() - 1)), true, tokens[i + 1].text});
            else info.env.push_back({std::string(name), false, ""});
          }
          if (end == std::string_view::npos) break;
          rest.remove_prefix(end + 1);
        }
        at_line_start = after_last(token.text, '\n').empty();
        break;
      }
      case TextToken::make_path: {
        bool is_rule = i + 1 < tokens.size() && tokens[i + 1].text.starts_with(':');
        if (at_line_start && is_rule) {
          // An empty rule names a source, the others an output.
          bool is_empty_rule = tokens[i + 1].text.starts_with(":\n");
          if (!is_empty_rule) add(info.targets, token.text);
        } else {
          add(info.sources, token.text);
        }
        at_line_start = false;
        break;
      }
      case TextToken::env_value:
      case TextToken::json_path: at_line_start = false; break;
    }
  }
  return info;
}

}  // namespace kache
