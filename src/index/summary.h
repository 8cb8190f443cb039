// The numbers that stats and report are made of.
#pragma once

#include <cstdint>
#include <vector>

#include "index/events.h"

namespace kache {

// Where the time of some units went, in µs.
struct PhaseTimes {
  uint64_t units = 0, key = 0, lookup = 0, restore = 0, compile = 0, store = 0;

  uint64_t total() const { return key + lookup + restore + compile + store; }
};

struct Summary {
  uint64_t local_hits = 0, prefetch_hits = 0, remote_hits = 0, dups = 0, misses = 0;
  uint64_t errors = 0;         // compiles that failed, but for trials
  uint64_t failed_trials = 0;  // by configure and build scripts
  uint64_t faults = 0;         // of kache
  uint64_t passthroughs = 0, probes = 0, skipped = 0, store_failures = 0, fallbacks = 0;
  uint64_t elapsed_ms = 0, hit_elapsed_ms = 0, miss_elapsed_ms = 0;
  uint64_t saved_ms = 0, spent_ms = 0;  // compile time avoided and spent
  uint64_t key_ms = 0, lookup_ms = 0, restore_ms = 0, store_ms = 0;
  PhaseTimes hit_phases, miss_phases;  // misses that this process compiled itself
  uint64_t reflinked_bytes = 0, hardlinked_bytes = 0, copied_bytes = 0;  // restored
  uint64_t store_reflinked_bytes = 0, store_hardlinked_bytes = 0, store_copied_bytes = 0;
  uint64_t stored_blobs = 0, stored_bytes = 0;  // duplicates included

  uint64_t restored_bytes() const { return reflinked_bytes + hardlinked_bytes + copied_bytes; }
  uint64_t new_bytes() const { return store_reflinked_bytes + store_hardlinked_bytes + store_copied_bytes; }

  uint64_t hits() const { return local_hits + prefetch_hits + remote_hits; }
  uint64_t compiled() const { return dups + misses; }
  uint64_t total() const { return hits() + compiled(); }
};

Summary summarise(const std::vector<BuildEvent>& events);

}  // namespace kache
