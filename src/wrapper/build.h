// Which build an invocation belongs to: the one of the topmost cargo, make, ninja, … among its ancestors. Every invocation
// finds the same process and calls it by the same name. What stands above a build program is looked for once; the memo keeps it.
#pragma once

#include <string>

#include "base/file_system.h"
#include "base/process_info.h"
#include "store/memo.h"

namespace kache {

struct Build {
  std::string session;  // <boot>-<pid>-<start>; "" where the system does not tell
  std::string tool;     // its program; that of the parent where no ancestor is a build program
};

// Looks no further than to the first process of the terminal or service that the build was started from.
Build find_build(FileSystem& fs, Memo& memo, const OwnProcess& self);

// Whether programs of this name run builds (15 bytes of it are enough).
bool is_build_program(std::string_view name);

}  // namespace kache
