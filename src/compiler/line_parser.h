// What all parsers of command lines do alike: fill one answer, let the first refusal stand, key arguments in their order, take
// in response files. Knows no flag of any compiler.
//
// A base class, though code is not shared so elsewhere: `key` and `refuse` are what every other line of a parser says.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "compiler/cc_response.h"
#include "compiler/invocation.h"

namespace kache {

// What no file can be restored to: devices and the like. /dev/shm holds ordinary files.
bool is_device(std::string_view path);

class LineParser {
 protected:
  // Both outlive the parser.
  LineParser(FileSystem& fs, const CommandLine& line) : fs_(fs), line_(line) {}

  Invocation& inv() { return out_.invocation; }

  // The first refusal stands.
  void refuse(Refusal refusal, std::string_view detail) {
    if (!out_.refused) out_.refused = {refusal, std::string(detail)};
  }

  // `path`: the part of the argument that is one, and is keyed by root.
  template <typename Text>
  void key(Text&& text, std::string_view path = {}) {
    add_key(std::string(std::forward<Text>(text)), path);
  }

  // For the C family: the program and its arguments as they were given. REQUIRES: argv is not empty.
  void take_line(Family family);
  // And the words that these come to, with response files taken in. False when one of those can not be; that is refused.
  bool take_response_files(Quoting quoting);

  FileSystem& fs_;
  const CommandLine& line_;
  ParsedInvocation out_;
  std::vector<std::string> args_;  // the words behind the program

 private:
  void add_key(std::string text, std::string_view path);  // apart, for it is called from everywhere
};

}  // namespace kache
