// Collect: the one engine that makes room, for `gc`, the background run and `purge`.
//
// Entries are the truth: what they name is alive, everything else that is old enough is swept. Works beside compiles and
// hits without a lock that they would wait for: an entry is removed by unlink, a reader that has opened a blob keeps it,
// and what a publish may just be using (younger than the grace) is left alone. The index says where to look; what is
// removed is looked at again right before.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "index/pace.h"
#include "index/store_index.h"
#include "store/layout.h"

namespace kache {

// Why an entry goes.
enum class GcReason : uint8_t { age, size, stale_schema, purge, broken };

struct Evicted {
  GcReason reason = GcReason::size;
  std::string path;  // of the entry
  std::string unit;  // "" of a broken one
  uint64_t bytes = 0;  // of the entry and of what nothing else names
  int64_t last_used_ns = 0;
  uint64_t schema = 0;
};

struct GcLimits {
  uint64_t max_size = 0;        // bytes; 0: no limit
  uint64_t free_space = 0;      // bytes that the file system has left now
  uint64_t min_free_space = 0;
  int64_t max_age_ns = 0;       // since the last use; 0: no limit
  int64_t grace_ns = int64_t{3600} * 1'000'000'000;  // what is younger is never touched
  // Instead of looking at the limits: only what was made under another key schema; only what is of this unit ("": all).
  bool only_stale_schema = false;
  std::optional<std::string> purge;
  bool is_dry_run = false;  // decides all the same and removes nothing; wants an index that may be spoilt
  std::function<void(const Evicted&)> on_evict;  // where somebody wants to know
};

struct GcReport {
  bool busy = false;  // another run holds the lock; nothing was done, but for entries that were to be purged
  uint64_t entries = 0, size = 0;  // what is left
  uint64_t size_before = 0;
  uint64_t evicted_by_age = 0, evicted_by_size = 0, stale_schema = 0, purged = 0, broken = 0;
  uint64_t in_use = 0;  // entries that would have gone for space, but a running build may have used them
  uint64_t stale_traces = 0, leftovers = 0;
  uint64_t blobs_removed = 0;
  uint64_t bytes_freed = 0;   // on the disk, of everything that was removed
  uint64_t blobs_young = 0, bytes_young = 0;  // nothing names them, and a later run removes them: within the grace
  uint64_t bytes_linked = 0;  // of removed blobs that checkouts still hold: they come back when those are deleted
};

// An error where the store could not be read: then nothing more is removed.
Result<GcReport> collect_garbage(FileSystem& fs, Clock& clock, const StoreLayout& layout, StoreIndex& index,
                                 const GcLimits& limits, Pace& pace);

// The order in which entries go when there is no room: least worth first. Worth is the compile time that comes back,
// discounted by how long nobody asked, for each byte that would really come back.
double worth_keeping(uint64_t compile_ms, int64_t idle_ns, uint64_t own_bytes);

}  // namespace kache
