// Redirect: a command line that makes the same with its outputs elsewhere, for who only wants to look at them.
//
// Pure. Whether it does make the same is for the caller to find out: he parses it again and compares the keys, and where an
// output was not led away it still lies where it did.
#pragma once

#include <string>
#include <vector>

#include "compiler/invocation.h"

namespace kache {

struct RedirectedDir {
  std::string from;  // as the command line spells it; "" for the working directory
  std::string to;    // absolute, below `into`
};

struct Redirected {
  CommandLine line;
  std::vector<RedirectedDir> dirs;  // have to be made
};

// `invocation` is what parse_invocation says of `line`; `into` absolute.
Redirected redirect_outputs(const CommandLine& line, const Invocation& invocation, const std::string& into);

}  // namespace kache
