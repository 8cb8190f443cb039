#include "compiler/depfile.h"

namespace kache {
namespace {

// --- writing -------------------------------------------------------------------------------------------------------

// gcc: no line longer than 72, but for words that are; a folded line begins with one space.
class GccLayout {
 public:
  explicit GccLayout(std::string& out) : out_(out) {}

  void word(std::string_view text) {
    if (column_ != 0) {
      if (column_ + text.size() > 72) {
        out_ += " \\\n";
        column_ = 0;
      }
      out_ += ' ';
      ++column_;
    }
    out_ += text;
    column_ += text.size();
  }
  void target(std::string_view text) { word(text); }
  void file(std::string_view escaped, size_t) { word(escaped); }
  void colon() {
    out_ += ':';
    ++column_;
  }

 private:
  std::string& out_;
  size_t column_ = 0;
};

// clang: 75, with room for a backslash; counts the names as they are, before they are escaped.
class ClangLayout {
 public:
  explicit ClangLayout(std::string& out) : out_(out) {}

  void target(std::string_view text) {
    if (column_ == 0) {
      column_ = text.size();
    } else if (column_ + text.size() + 2 > kWidth) {
      column_ = text.size() + 2;
      out_ += " \\\n  ";
    } else {
      column_ += text.size() + 1;
      out_ += ' ';
    }
    out_ += text;
  }
  void file(std::string_view escaped, size_t size) {
    if (column_ + size + 1 + 2 > kWidth) {
      out_ += " \\\n ";
      column_ = 2;
    }
    out_ += ' ';
    out_ += escaped;
    column_ += size + 1;
  }
  void colon() {
    out_ += ':';
    ++column_;
  }

 private:
  static constexpr size_t kWidth = 75;
  std::string& out_;
  size_t column_ = 0;
};

template <typename Layout>
void write_rule(const Depfile& depfile, std::string& out) {
  Layout layout(out);
  for (const std::string& target : depfile.targets) layout.target(target);
  layout.colon();
  for (const std::string& file : depfile.files) layout.file(escape_for_make(file), file.size());
  out += '\n';
}

// --- reading -------------------------------------------------------------------------------------------------------

Error unsupported() { return {ErrorCode::unsupported, 0, "depfile: not in the form of gcc or clang"}; }

// The next word of a rule as it stands; spaces and folded lines before it are passed over. Empty at the end of the line.
std::string_view next_word(std::string_view& rest) {
  for (;;) {
    if (rest.starts_with(' ')) rest.remove_prefix(1);
    else if (rest.starts_with("\\\n")) rest.remove_prefix(2);
    else break;
  }
  size_t end = 0;
  for (; end < rest.size() && rest[end] != ' ' && rest[end] != '\n'; ++end) {
    if (rest[end] == '\\' && end + 1 < rest.size() && rest[end + 1] != '\n') ++end;
  }
  std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

// Undoes escape_for_make; what it would not have written comes back wrong and is found out by writing it again.
std::string unescape(std::string_view word) {
  std::string out;
  for (size_t i = 0; i < word.size(); ++i) {
    bool takes_next = i + 1 < word.size() && ((word[i] == '\\' && (word[i + 1] == ' ' || word[i + 1] == '#' || word[i + 1] == '\t')) ||
                                              (word[i] == '$' && word[i + 1] == '$'));
    if (takes_next) ++i;
    out += word[i];
  }
  return out;
}

}  // namespace

std::string escape_for_make(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == ' ' || c == '\t') {
      // Backslashes before a space are doubled: make halves them there, and nowhere else.
      for (size_t j = i; j > 0 && text[j - 1] == '\\'; --j) out += '\\';
      out += '\\';
    } else if (c == '#') {
      out += '\\';
    } else if (c == '$') {
      out += '$';
    }
    out += c;
  }
  return out;
}

std::string write_depfile(const Depfile& depfile) {
  std::string out;
  if (depfile.style == DepfileStyle::gcc) write_rule<GccLayout>(depfile, out);
  else write_rule<ClangLayout>(depfile, out);
  if (depfile.phony == PhonyRules::none) return out;
  for (size_t i = 1; i < depfile.files.size(); ++i) {
    if (depfile.phony == PhonyRules::spaced) out += '\n';
    out += escape_for_make(depfile.files[i]) + ":\n";
  }
  return out;
}

Result<Depfile> read_depfile(std::string_view bytes) {
  Depfile depfile;
  std::string_view rest = bytes;
  for (;;) {
    std::string_view word = next_word(rest);
    if (word.empty()) return unsupported();
    bool is_last = word.ends_with(':') && (rest.starts_with(' ') || rest.starts_with('\n'));
    if (is_last) word.remove_suffix(1);
    if (word.empty()) return unsupported();
    depfile.targets.emplace_back(word);
    if (is_last) break;
  }
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) depfile.files.push_back(unescape(word));
  if (!rest.starts_with('\n')) return unsupported();
  rest.remove_prefix(1);
  if (!rest.empty()) depfile.phony = rest.starts_with('\n') ? PhonyRules::spaced : PhonyRules::tight;
  for (DepfileStyle style : {DepfileStyle::gcc, DepfileStyle::clang}) {
    depfile.style = style;
    if (write_depfile(depfile) == bytes) return depfile;
  }
  return unsupported();
}

}  // namespace kache
