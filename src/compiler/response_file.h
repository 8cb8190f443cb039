// rustc's response files: `@path`, one argument a line, not recursive.
#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"

namespace kache {

struct Expanded {
  std::vector<std::string> args;
  bool any = false;  // something was expanded
};

// `cwd`: what relative names are relative to. Fails where rustc would read the file otherwise than we do.
Result<Expanded> expand_response_files(FileSystem& fs, const std::vector<std::string>& args, const std::string& cwd);

}  // namespace kache
