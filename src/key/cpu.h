// Which CPU `-C target-cpu=native` means here. One file per architecture family: cpu_linux.cc reads what the kernel says.
#pragma once

#include <string>

#include "base/file_system.h"

namespace kache {

// Equal texts: the compiler would detect the same features. Read once per process.
std::string cpu_identity(FileSystem& fs);

}  // namespace kache
