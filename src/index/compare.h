// What is different between two builds, unit by unit.
#pragma once

#include <vector>

#include "index/builds.h"

namespace kache {

// Of one unit; null where a build has not got it.
struct UnitPair {
  const BuildEvent* before = nullptr;
  const BuildEvent* after = nullptr;
};

struct BuildComparison {
  std::vector<UnitPair> newly_missed, newly_hit, missed_again, newly_failed, newly_uncached;
  std::vector<UnitPair> slower, faster;  // of the same kind in both: the compiler's time, or that of the hit
  std::vector<UnitPair> appeared, vanished;
};

// The views point into the two builds. Each list begins with what matters most.
BuildComparison compare_builds(const PastBuild& before, const PastBuild& after);

// What of a pair `slower` and `faster` compare.
uint64_t compared_ms(const BuildEvent& event);

}  // namespace kache
