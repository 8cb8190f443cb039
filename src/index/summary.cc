#include "index/summary.h"

namespace kache {
namespace {

void add(PhaseTimes& sum, const BuildEvent& event) {
  sum.units++;
  sum.key += event.key_us;
  sum.lookup += event.lookup_us;
  sum.restore += event.restore_us;
  // A hit carries the time that its compile once took.
  if (!event.is_hit()) sum.compile += event.compile_time_ms * 1000;
  sum.store += event.store_us;
}

}  // namespace

Summary summarise(const std::vector<BuildEvent>& events) {
  Summary sum;
  struct Counter {
    const char* result;
    uint64_t Summary::*count;
  };
  static constexpr Counter kCounters[] = {
      {"local_hit", &Summary::local_hits}, {"prefetch_hit", &Summary::prefetch_hits},
      {"remote_hit", &Summary::remote_hits}, {"dup", &Summary::dups}, {"miss", &Summary::misses},
      {"passthrough", &Summary::passthroughs}, {"skipped", &Summary::skipped},
  };
  for (const BuildEvent& event : events) {
    if (event.is_probe()) {
      sum.probes++;
      continue;
    }
    for (const Counter& counter : kCounters) {
      if (event.result == counter.result) ++(sum.*counter.count);
    }
    sum.errors += event.is_error();
    sum.failed_trials += event.is_failed_compile() && event.trial;
    sum.faults += event.is_fault();
    sum.elapsed_ms += event.elapsed_ms;
    sum.fallbacks += event.fallback;
    if (event.is_hit()) add(sum.hit_phases, event);
    if (event.result == "miss") add(sum.miss_phases, event);
    if (event.is_hit()) {
      sum.hit_elapsed_ms += event.elapsed_ms;
      sum.saved_ms += event.compile_time_ms;
      sum.restore_ms += event.restore_ms;
      sum.reflinked_bytes += event.reflinked_bytes;
      sum.hardlinked_bytes += event.hardlinked_bytes;
      sum.copied_bytes += event.copied_bytes;
    } else if (event.is_compiled()) {
      sum.miss_elapsed_ms += event.elapsed_ms;
      sum.spent_ms += event.compile_time_ms;
      sum.store_ms += event.store_ms;
      sum.stored_blobs += event.store_output_blobs;
      sum.stored_bytes += event.size;
      sum.store_reflinked_bytes += event.store_reflinked_bytes;
      sum.store_hardlinked_bytes += event.store_hardlinked_bytes;
      sum.store_copied_bytes += event.store_copied_bytes;
      sum.store_failures += !event.store_error.empty() || !event.passthrough_reason.empty();
    }
    sum.key_ms += event.key_ms;
    sum.lookup_ms += event.lookup_ms;
  }
  return sum;
}

}  // namespace kache
