// A command line from anywhere: each line of the input is a word. None names a response file: what is read must be the input.
#pragma once

#include <string>
#include <string_view>

#include "compiler/invocation.h"

namespace kache {

inline CommandLine line_of(const char* compiler, std::string_view bytes) {
  CommandLine line{{compiler}, "/work", Env(std::vector<std::string>{})};
  for (std::string_view rest = bytes; !rest.empty();) {
    size_t end = rest.find('\n');
    std::string arg(rest.substr(0, end));
    if (!arg.starts_with('@')) line.argv.push_back(std::move(arg));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return line;
}

}  // namespace kache
