#include "compiler/cc_response.h"

#include "base/path.h"

namespace kache {
namespace {

constexpr uint64_t kMaxBytes = 64u << 20;
constexpr size_t kMostFiles = 2000;  // as libiberty, which gives up there

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'; }

// One word from `text` at `i`, which is no space; moves `i` behind it.
std::string gnu_word(std::string_view text, size_t& i) {
  std::string word;
  char quote = 0;
  for (; i < text.size() && (quote || !is_space(text[i])); ++i) {
    char c = text[i];
    if (c == '\\') {
      if (++i < text.size()) word += text[i];
    } else if (quote) {
      if (c == quote) quote = 0;
      else word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else {
      word += c;
    }
  }
  return word;
}

// 2n backslashes and a quote are n backslashes and the quote's work; 2n + 1 are n backslashes and a quote as a letter.
std::string windows_word(std::string_view text, size_t& i) {
  std::string word;
  bool quoted = false;
  while (i < text.size() && (quoted || !is_space(text[i]))) {
    size_t backslashes = 0;
    while (i < text.size() && text[i] == '\\') ++backslashes, ++i;
    if (i < text.size() && text[i] == '"') {
      word.append(backslashes / 2, '\\');
      if (backslashes % 2) word += '"';
      else if (quoted && i + 1 < text.size() && text[i + 1] == '"') word += text[i++];
      else quoted = !quoted;
      ++i;
      continue;
    }
    word.append(backslashes, '\\');
    if (i < text.size() && (quoted || !is_space(text[i]))) word += text[i++];
  }
  return word;
}

class Expander {
 public:
  Expander(FileSystem& fs, const std::string& cwd, Quoting quoting) : fs_(fs), cwd_(cwd), quoting_(quoting) {}

  Status expand(const std::vector<std::string>& args) {
    for (const std::string& arg : args) {
      if (!arg.starts_with('@') || arg.size() == 1) {
        out_.args.push_back(arg);
        continue;
      }
      std::string path = absolute_path(cwd_, std::string_view(arg).substr(1));
      Result<FileStat> stat = fs_.stat(path);
      if (!stat.ok() || !stat->is_regular()) {
        out_.args.push_back(arg);
        continue;
      }
      if (out_.files.size() >= kMostFiles) return Error{ErrorCode::invalid, 0, arg + ": response files without end"};
      std::string bytes = KACHE_TRY(read_file(fs_, path, kMaxBytes));
      if (bytes.find('\0') != std::string::npos) return Error{ErrorCode::invalid, 0, arg + ": holds a zero byte"};
      out_.files.push_back(path);
      KACHE_TRY(expand(split_quoted(bytes, quoting_)));
    }
    return Ok{};
  }

  QuotedArgs take() { return std::move(out_); }

 private:
  FileSystem& fs_;
  const std::string& cwd_;
  Quoting quoting_;
  QuotedArgs out_;
};

}  // namespace

std::vector<std::string> split_quoted(std::string_view text, Quoting quoting) {
  std::vector<std::string> words;
  for (size_t i = 0; i < text.size();) {
    if (is_space(text[i])) ++i;
    else words.push_back(quoting == Quoting::gnu ? gnu_word(text, i) : windows_word(text, i));
  }
  return words;
}

Result<QuotedArgs> expand_quoted_files(FileSystem& fs, const std::vector<std::string>& args, const std::string& cwd,
                                       Quoting quoting) {
  Expander expander(fs, cwd, quoting);
  KACHE_TRY(expander.expand(args));
  return expander.take();
}

}  // namespace kache
