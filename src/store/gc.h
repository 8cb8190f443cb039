// GC: keeps the store below its limits. One engine for the command, the background run and purge.
//
// Entries are the truth: what they name is alive, everything else that is old enough is swept. Works beside compiles and
// hits without a lock that they would wait for: an entry is removed by unlink, a reader that has opened a blob keeps it,
// and what a publish may just be using (younger than the grace) is left alone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "store/entry.h"
#include "store/layout.h"

namespace kache {

// An entry as GC and listings see it.
struct StoredEntry {
  Entry entry;
  std::string path;
  uint64_t file_size = 0;
  int64_t last_used_ns = 0;  // mtime of the file
};

// Every entry of the store; broken files are handed to `broken` by path.
std::vector<StoredEntry> list_entries(FileSystem& fs, const StoreLayout& layout, std::vector<std::string>* broken);

struct GcLimits {
  uint64_t max_size = 0;       // bytes; 0: no limit
  uint64_t free_space = 0;     // bytes that the file system has left now
  uint64_t min_free_space = 0;
  int64_t max_age_ns = 0;      // 0: no limit
  int64_t grace_ns = int64_t{3600} * 1'000'000'000;  // what is younger is never touched
};

struct GcReport {
  bool busy = false;  // another run holds the lock
  uint64_t entries = 0, size = 0;  // what is left
  uint64_t evicted_by_age = 0, evicted_by_size = 0, broken = 0, stale_traces = 0;
  uint64_t blobs_removed = 0, bytes_freed = 0;
};

GcReport collect_garbage(FileSystem& fs, Clock& clock, const StoreLayout& layout, const GcLimits& limits);

// The order in which entries go when there is no room: least worth first. Worth is the compile time that comes back,
// discounted by how long nobody asked, for each byte that would really come back.
double worth_keeping(uint64_t compile_ms, int64_t idle_ns, uint64_t own_bytes);

// Removes entries for which `doomed` says so; returns how many. Blobs follow with the next collection.
uint64_t purge_entries(FileSystem& fs, const StoreLayout& layout, const std::function<bool(const StoredEntry&)>& doomed);

}  // namespace kache
