// The edit loop: a unit that misses again and again because its sources are being edited must not be slower than plain
// cargo. From the second such miss in a row it is compiled with cargo's own incremental state, and not stored.
// v1/edit/<hash of invocation key and output directory>: empty, its mtime is the time of the last miss.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/digest.h"
#include "store/layout.h"

namespace kache {

// Notes a miss of this unit; true when the one before was not long ago.
bool note_miss_in_loop(FileSystem& fs, Clock& clock, const StoreLayout& layout, const InvocationKey& key,
                       const std::string& output_dir);

inline constexpr int64_t kLoopMemoryNs = 20 * 60 * int64_t{1'000'000'000};

}  // namespace kache
