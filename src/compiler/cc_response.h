// Response files as the compilers of the C family read them: `@path`, words between white space, quotes, and response files
// inside response files.
#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"

namespace kache {

// gnu: a backslash takes the next character as it is, in quotes too (libiberty's buildargv, LLVM's TokenizeGNUCommandLine).
// windows: backslashes matter only before a double quote, and single quotes are letters.
enum class Quoting : uint8_t { gnu, windows };

std::vector<std::string> split_quoted(std::string_view text, Quoting quoting);

struct QuotedArgs {
  std::vector<std::string> args;
  std::vector<std::string> files;  // that were read, absolute
};

// `cwd`: what relative names are relative to. A file that can not be read stays the word that it is, as it does for the
// compilers. `invalid` when files name each other without end or hold a zero byte.
Result<QuotedArgs> expand_quoted_files(FileSystem& fs, const std::vector<std::string>& args, const std::string& cwd,
                                       Quoting quoting);

}  // namespace kache
