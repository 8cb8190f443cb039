// Builds: which events belong together. Those of one session (wrapper/build.h) are a build; lines of older versions,
// which have none, are grouped by their tree and by time.
#pragma once

#include <string>
#include <vector>

#include "index/events.h"
#include "index/summary.h"

namespace kache {

struct PastBuild {
  std::string id;          // the session, with ".2", ".3", … where it was cut; else when it began
  std::string tool, root;  // root: of most of its units, of a cargo's crates
  int64_t start_ns = 0, end_ns = 0;
  std::vector<BuildEvent> events;  // oldest first
  Summary sum;

  uint64_t wall_ms() const { return static_cast<uint64_t>(end_ns - start_ns) / 1'000'000; }
  uint64_t units() const { return events.size() - sum.probes; }
};

// A terminal, a script or an old version's tree are idle for so long between two builds.
inline constexpr int64_t kBuildGapNs = 300'000'000'000;

// Newest first, by their ends. Left out is where the compiler was only asked questions: a cargo that had nothing to do.
std::vector<PastBuild> group_builds(std::vector<BuildEvent> events);

// `which`: "1" is the last one, "2" the one before; or an id, or the beginning of one that no other has. `invalid` says
// what is.
Result<const PastBuild*> choose_build(const std::vector<PastBuild>& builds, const std::string& which);
size_t number_of(const std::vector<PastBuild>& builds, const PastBuild& build);

}  // namespace kache
