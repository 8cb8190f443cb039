// Collect: the one engine that makes room, for `gc`, the background run and `purge`.
//
// Entries are the truth: what they name is alive, everything else that is old enough is swept. Works beside compiles and
// hits without a lock that they would wait for: an entry is removed by unlink, a reader that has opened a blob keeps it,
// and what a publish may just be using (younger than the grace) is left alone. The index says where to look; what is
// removed is looked at again right before.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "index/pace.h"
#include "index/store_index.h"
#include "store/layout.h"

namespace kache {

struct GcLimits {
  uint64_t max_size = 0;        // bytes; 0: no limit
  uint64_t free_space = 0;      // bytes that the file system has left now
  uint64_t min_free_space = 0;
  int64_t max_age_ns = 0;       // since the last use; 0: no limit
  int64_t grace_ns = int64_t{3600} * 1'000'000'000;  // what is younger is never touched
};

struct GcReport {
  bool busy = false;  // another run holds the lock; nothing was done
  uint64_t entries = 0, size = 0;  // what is left
  uint64_t evicted_by_age = 0, evicted_by_size = 0, broken = 0, stale_traces = 0, leftovers = 0;
  uint64_t blobs_removed = 0;
  uint64_t bytes_freed = 0;   // on the disk, of everything that was removed
  uint64_t bytes_linked = 0;  // of removed blobs that checkouts still hold: they come back when those are deleted
};

// An error where the store could not be read: then nothing more is removed.
Result<GcReport> collect_garbage(FileSystem& fs, Clock& clock, const StoreLayout& layout, StoreIndex& index,
                                 const GcLimits& limits, Pace& pace);

// The order in which entries go when there is no room: least worth first. Worth is the compile time that comes back,
// discounted by how long nobody asked, for each byte that would really come back.
double worth_keeping(uint64_t compile_ms, int64_t idle_ns, uint64_t own_bytes);

// Removes all entries of a crate ("": all entries); returns how many. Blobs follow with the next collection.
Result<uint64_t> purge_entries(FileSystem& fs, const StoreLayout& layout, StoreIndex& index, const std::string& crate,
                               Pace& pace);

}  // namespace kache
