// The incremental state of units that came from the store, for users who want its disk space back (`clean_incremental`).
#pragma once

#include <string>

#include "base/file_system.h"
#include "compiler/invocation.h"

namespace kache {

// Removes the sessions of this crate's name below its incremental directory, but none that a compiler holds locked.
// Other crates' state stays. Failures are of no consequence and not reported.
void clean_incremental(FileSystem& fs, const Invocation& invocation, const std::string& cwd);

}  // namespace kache
