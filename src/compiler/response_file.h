// rustc's response files: `@path`, one argument a line, not recursive (an `@x` inside is an argument like any other).
//
// Source: rustc_driver's args.rs, and trying it: lines end with LF or CRLF, an empty line is an empty argument, what is
// no UTF-8 is refused. `@shell:path` (-Z shell-argfiles) is not read.
#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"

namespace kache {

struct Expanded {
  std::vector<std::string> args;
  bool any = false;  // something was expanded
};

// `cwd`: what relative names are relative to. Fails where rustc would, or would read the file otherwise than we do.
Result<Expanded> expand_response_files(FileSystem& fs, const std::vector<std::string>& args, const std::string& cwd);

// The bytes of a response file that rustc reads as `args`. `invalid` for what no line can hold: an argument with a line
// feed, or with a carriage return at its end.
Result<std::string> write_response_file(const std::vector<std::string>& args);

}  // namespace kache
