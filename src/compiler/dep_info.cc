#include <string>
#include <unordered_set>

#include "compiler/text_token.h"

// rustc writes (rustc_interface's passes.rs, and samples of 1.95 and nightly 1.97): a rule for each output, an empty rule
// for each source, "# env-dep:NAME[=VALUE]" and "# checksum:…" lines. In the paths of sources a space is "\ " and nothing
// else is escaped; the path of an output stands as it is, spaces and all; in names and values of variables backslash,
// line feed and carriage return are escaped.
namespace kache {
namespace {

constexpr std::string_view kEnvDep = "# env-dep:";
constexpr std::string_view kChecksum = "# checksum:";
constexpr std::string_view kFileLength = " file_len:";

Error corrupt(const char* what) { return {ErrorCode::corrupt, 0, std::string("dep-info: ") + what}; }

// `corrupt` where a space is not escaped: no word of a list, and it would not come back as it was.
Result<std::string> unescape_path(std::string_view word) {
  std::string out;
  for (size_t i = 0; i < word.size(); ++i) {
    if (word[i] == ' ') return corrupt("a space that is not escaped");
    if (word[i] == '\\' && i + 1 < word.size() && word[i + 1] == ' ') ++i;
    out += word[i];
  }
  return out;
}

Result<std::string> unescape_env(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') return corrupt("a carriage return in a variable");
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    char next = ++i < text.size() ? text[i] : '\0';
    if (next == '\\') out += '\\';
    else if (next == 'n') out += '\n';
    else if (next == 'r') out += '\r';
    else return corrupt("unknown escape in a variable");
  }
  return out;
}

// Where the first word of `text` ends: at a space that no backslash precedes.
size_t word_end(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ' && (i == 0 || text[i - 1] != '\\')) return i;
  }
  return text.size();
}

// Reads line by line and tells `sink` what stands there: literal(bytes), target(path), source(path),
// variable(name as written, value or nullptr).
template <typename Sink>
class Reader {
 public:
  explicit Reader(Sink& sink) : sink_(sink) {}

  Status run(std::string_view bytes) {
    if (bytes.empty()) return corrupt("empty");
    while (!bytes.empty()) {
      size_t end = bytes.find('\n');
      if (end == std::string_view::npos) return corrupt("the last line has no end");
      KACHE_TRY(line(bytes.substr(0, end)));
      sink_.literal("\n");
      bytes.remove_prefix(end + 1);
    }
    return Ok{};
  }

 private:
  Status line(std::string_view text) {
    if (text.empty()) return Ok{};
    if (text.starts_with(kEnvDep)) return env_dep(text);
    if (text.starts_with(kChecksum)) return checksum(text);
    if (text[0] == '#') return corrupt("unknown comment");
    return rule(text);
  }

  Status env_dep(std::string_view text) {
    size_t equals = text.find('=');
    sink_.literal(kEnvDep);
    std::string_view name = text.substr(0, equals).substr(kEnvDep.size());
    KACHE_TRY(unescape_env(name));
    if (equals == std::string_view::npos) {
      sink_.variable(name, nullptr);
      return Ok{};
    }
    std::string value = KACHE_TRY(unescape_env(text.substr(equals + 1)));
    sink_.variable(name, &value);
    return Ok{};
  }

  // "# checksum:blake3=… file_len:12 path"
  Status checksum(std::string_view text) {
    size_t length = text.find(kFileLength);
    size_t space = length == std::string_view::npos ? length : text.find(' ', length + kFileLength.size());
    if (space == std::string_view::npos || space + 1 == text.size()) return corrupt("a checksum without its file");
    sink_.literal(text.substr(0, space + 1));
    return source(text.substr(space + 1));
  }

  // "target: source source", "source:"
  Status rule(std::string_view text) {
    size_t colon = text.find(": ");
    if (colon == std::string_view::npos) {
      if (!text.ends_with(':') || text.size() == 1) return corrupt("a line that is no rule");
      KACHE_TRY(source(text.substr(0, text.size() - 1)));
      sink_.literal(":");
      return Ok{};
    }
    if (colon == 0) return corrupt("a rule without a target");
    sink_.target(text.substr(0, colon));
    sink_.literal(": ");
    for (std::string_view rest = text.substr(colon + 2); !rest.empty();) {
      size_t end = word_end(rest);
      if (end == 0 || end + 1 == rest.size()) return corrupt("a space too many");
      KACHE_TRY(source(rest.substr(0, end)));
      if (end < rest.size()) sink_.literal(" ");
      rest.remove_prefix(end < rest.size() ? end + 1 : end);
    }
    return Ok{};
  }

  Status source(std::string_view word) {
    sink_.source(KACHE_TRY(unescape_path(word)));
    return Ok{};
  }

  Sink& sink_;
};

struct TokenSink {
  std::vector<TextToken> tokens;

  void literal(std::string_view text) { append_literal(tokens, text); }
  void target(std::string_view path) { tokens.push_back({TextToken::target_path, std::string(path)}); }
  void source(std::string path) { tokens.push_back({TextToken::make_path, std::move(path)}); }
  void variable(std::string_view name, const std::string* value) {
    literal(name);
    if (!value) return;
    literal("=");
    if (!value->empty()) tokens.push_back({TextToken::env_value, *value});
  }
};

struct InfoSink {
  DepInfo info;
  std::unordered_set<std::string> seen;

  void literal(std::string_view) {}
  void target(std::string_view path) { info.targets.emplace_back(path); }
  void source(std::string path) {
    if (seen.insert(path).second) info.sources.push_back(std::move(path));
  }
  void variable(std::string_view name, const std::string* value) {
    info.env.push_back({unescape_env(name).value_or(std::string(name)), value != nullptr, value ? *value : ""});
  }
};

}  // namespace

Result<std::vector<TextToken>> tokenize_dep_info(std::string_view bytes) {
  TokenSink sink;
  KACHE_TRY(Reader(sink).run(bytes));
  return std::move(sink.tokens);
}

Result<DepInfo> parse_dep_info(std::string_view bytes) {
  InfoSink sink;
  KACHE_TRY(Reader(sink).run(bytes));
  return std::move(sink.info);
}

}  // namespace kache
