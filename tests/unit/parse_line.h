// Parses rustc command lines for tests: from words, or from one string that is split at spaces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/compilers.h"

namespace kache {

inline std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    size_t end = text.find(' ');
    if (end != 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return words;
}

inline ParsedInvocation parse_words(std::vector<std::string> args, const std::string& cwd = "/w") {
  args.insert(args.begin(), "rustc");
  return parse_rustc(posix_file_system(), {args, cwd, Env()}, Recognised::rustc);
}

inline ParsedInvocation parse_line(std::string_view text, const std::string& cwd = "/w") {
  return parse_words(words_of(text), cwd);
}

// The key as one string: "text<path>" for each argument, so that a test reads what is taken for a path.
inline std::string key_of(const ParsedInvocation& parsed) {
  std::string out;
  for (const KeyArg& arg : parsed.invocation.key_args) {
    if (!out.empty()) out += " | ";
    out += arg.text;
    if (!arg.path.empty()) out += "<" + arg.path + ">";
  }
  return out;
}

}  // namespace kache
