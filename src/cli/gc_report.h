// What a collection did or would do, as text and as JSON: for gc and purge.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/command.h"
#include "index/collect.h"

namespace kache {

// "size", "age", "stale-schema", "purge", "broken"
const char* name_of(GcReason reason);

// Entries of one unit that go for one reason.
struct EvictedUnit {
  GcReason reason = GcReason::size;
  std::string unit;
  uint64_t entries = 0, bytes = 0;
  int64_t last_used_ns = 0;  // of the latest
};
// The largest first.
std::vector<EvictedUnit> by_unit(const std::vector<Evicted>& evicted);

void print_evicted(const std::vector<Evicted>& evicted);

// schema_version, command, dry_run and what both commands have: the rows, and what came or would come back.
nlohmann::ordered_json gc_json(const std::string& command, const GcLimits& limits, const GcReport& report, const std::vector<Evicted>& evicted);

// What comes back later.
void print_later(const GcReport& report);

}  // namespace kache
