// How large a build directory is, and what the disk would get back.
#pragma once

#include <atomic>

#include "clean/build_dir.h"
#include "clean/directory.h"

namespace kache {

// Fills in sizes, parts, times, labels of cargo and its locks. What can not be read is counted as nothing and makes an
// obstacle, as does another file system that is mounted inside. `stop`, where given, ends it early.
void measure_build_dir(Directory& dir, BuildDir& into, const std::atomic<bool>* stop);

}  // namespace kache
