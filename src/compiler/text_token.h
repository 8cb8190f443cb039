// Compiler-written text (dep-info, depfiles, cargo's artifact messages) as a list of tokens, so that the paths inside
// can be stored by root and written again for another place in the compiler's own spelling and escaping.
//
// The rule that makes this safe: render(tokenize(x)) == x for every x that tokenize accepts; the caller checks it and
// keeps the bytes as they are where it does not hold. Knows escaping; unaware of roots.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kache {

struct TextToken {
  enum Kind : unsigned char {
    literal = 0,      // as it stands
    make_path = 1,    // a path, escaped as rustc does in make rules
    env_value = 2,    // the value of a `# env-dep:` line
    json_path = 3,    // a path inside a JSON string
    target_path = 4,  // the path before a rule's colon, which rustc does not escape
    depfile_layout = 5,  // of the C family, first in a depfile: two digits, DepfileStyle and PhonyRules; see depfile.h
    depfile_path = 6,    // a file after the colon; the layout decides where lines end
  } kind = literal;
  std::string text;  // unescaped

  bool operator==(const TextToken&) const = default;
};

// rustc's dep-info (.d): rules, phony rules, `# env-dep:` and checksum comments. Adjacent literals are merged. `corrupt`
// for any other line, a last line without its end, an escape that rustc would not have written, and for no line at all.
Result<std::vector<TextToken>> tokenize_dep_info(std::string_view bytes);

// rustc's stderr under --error-format=json: the path of every line that is exactly
// {"$message_type":"artifact","artifact":"<path>","emit":"<kind>"} (older compilers: without the type) is a json_path,
// everything else literal. Never fails.
std::vector<TextToken> tokenize_messages(std::string_view bytes);

// What gcc and clang say: the path at the start of each message, and behind "In file included from" and its continuations, is
// a target_path when it is absolute; everything else is literal. Never fails.
std::vector<TextToken> tokenize_cc_messages(std::string_view bytes);

// For those who make tokens: literals that follow each other are one, and none is empty.
void append_literal(std::vector<TextToken>& tokens, std::string_view text);
// The next line with its end, where it has one; `rest` begins behind it. REQUIRES: `rest` is not empty.
std::string_view take_line(std::string_view& rest);

std::string render_tokens(const std::vector<TextToken>& tokens);

// What cargo and make would read out of the dep-info: the prerequisite paths of all rules, unescaped, and env-deps.
struct EnvDep {
  std::string name;
  bool is_set = false;
  std::string value;
};
struct DepInfo {
  std::vector<std::string> targets;
  std::vector<std::string> sources;  // without duplicates, in order
  std::vector<EnvDep> env;
};
Result<DepInfo> parse_dep_info(std::string_view bytes);

}  // namespace kache
