// FetchPlan: what is worth fetching before a build asks for it, by what earlier builds asked for, within a budget.
//
// Knows sessions and what the local store has; moves nothing but sessions.
#pragma once

#include <vector>

#include "remote/session.h"

namespace kache {

struct PlanLimits {
  size_t sessions = 3;  // of the branch, and as many of others
  uint64_t keys = 2000, bytes = uint64_t{2} << 30;  // 0: no limit
};
struct PlannedPack {
  PackRef pack;
  std::vector<SessionUnit> units;  // that are in it and not here
};
struct FetchPlan {
  std::vector<PlannedPack> packs;
  std::vector<SessionUnit> units;  // that are fetched one by one; those that are needed first first
  size_t sessions = 0;             // that it is made from
  uint64_t over_budget = 0;        // units that were left out
  uint64_t known = 0;              // that are here

  size_t count() const;  // of units, those in packs included
};
// Of these, each once, what is not here and fits.
FetchPlan lacking(FileSystem& fs, const StoreLayout& layout, std::vector<SessionUnit> units, const PlanLimits& plan);
// From the newest sessions of the branch, and then of others. `trust`: nullptr: no packs.
Result<FetchPlan> plan_fetch(FileSystem& fs, const StoreLayout& layout, Tiers& remote, const Namespace& name, const PlanLimits& plan, const Trust* trust,
                             const Limits& limits);

}  // namespace kache
