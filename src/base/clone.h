// How this platform copies and shares file content. One file per platform: clone_linux.cc.
#pragma once

#include <string>

#include "base/result.h"

namespace kache {

// Makes the empty file `to` share the storage of `from` (a reflink). `unsupported` where that can not be done.
Status clone_content(int from, int to, const std::string& name);

// Copies all bytes of `from` into the empty file `to`, in the kernel where it can.
Status copy_content(int from, int to, const std::string& name);

}  // namespace kache
