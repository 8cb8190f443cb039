// The background run of GC: now and then a miss that has stored something starts `kache-tool gc --background`, detached.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/env.h"
#include "base/file_system.h"
#include "store/layout.h"

namespace kache {

// One stat when no run is due. v1/gc-stamp: empty, its mtime is the start of the last run.
void start_gc_when_due(FileSystem& fs, Clock& clock, const StoreLayout& layout, const std::string& tool, const Env& env);

inline constexpr int64_t kGcIntervalNs = int64_t{600} * 1'000'000'000;

}  // namespace kache
