// What the monitor knows of the world: filled by its feeds (cli/monitor.cc), read by its screens. Plain values.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "clean/build_dir.h"
#include "index/events.h"
#include "index/store_index.h"
#include "index/transfers.h"

namespace kache {

// Of a build that the monitor has seen; 0: none, or all of them.
using BuildNumber = uint64_t;

struct SeenEvent : BuildEvent {
  BuildNumber build = 0;
  uint64_t number = 0;  // from 1, in the order in which they came
};

// A compile that is under way.
struct InFlight {
  Heartbeat beat;
  int64_t started_ns = 0;
  BuildNumber build = 0;
};

struct Counts {
  uint64_t local_hits = 0, prefetch_hits = 0, remote_hits = 0, dups = 0, misses = 0, errors = 0, passthroughs = 0;
  uint64_t saved_ms = 0, spent_ms = 0;

  uint64_t hits() const { return local_hits + prefetch_hits + remote_hits; }
  uint64_t total() const { return hits() + dups + misses; }
};

// One build as far as it has come. Which events are of one build is said in index/builds.h.
struct SeenBuild {
  BuildNumber number = 0;
  std::string group, tool, root;
  int64_t start_ns = 0, end_ns = 0;
  uint64_t units = 0;
  Counts counts;
};

// What `kache why-miss` says of one unit.
struct Explained {
  std::string asked, text;  // asked: a key or a name
  bool is_known = false;    // else it is being found out
};

struct MonitorData {
  // Never questions (probes). The newest last, and no more than kMostEvents of them; the counts are of all.
  std::deque<SeenEvent> events;
  Counts counts;
  std::vector<InFlight> in_flight;
  std::deque<Transfer> transfers;

  // In the order in which they were first heard of, their numbers one behind the other; kMostBuilds at most.
  std::deque<SeenBuild> builds;
  std::map<std::string, BuildNumber> newest_of_group;
  BuildNumber last_number = 0;
  uint64_t last_event = 0;

  std::vector<IndexedEntry> entries;  // kMostEntries at most
  StoreTotals store;
  bool has_store = false;  // it has been looked at
  std::string store_problem;

  std::vector<BuildDir> projects;
  bool is_scanning = false, was_scanned = false;
  std::string scan_problem;

  Explained explained;

  std::string wrapper;  // how builds come to kache; "" until it is known
  bool is_set_up = false;

  // What does not change.
  std::string cwd, cache_dir, since;
  uint64_t store_limit = 0;
  uint64_t heartbeat_secs = 30;
};

inline constexpr size_t kMostEvents = 20'000, kMostEntries = 20'000, kMostTransfers = 5'000, kMostBuilds = 1'000;

// News of the logs. An event ends the compile of its unit.
void add_event(MonitorData& data, BuildEvent event);
void add_heartbeat(MonitorData& data, const Heartbeat& beat);
void add_transfer(MonitorData& data, Transfer transfer);
// Compiles that have not been heard of for three beats are forgotten.
void drop_silent(MonitorData& data, int64_t now_ns);
// And the builds; those of compiles under way stay.
void clear_events(MonitorData& data);

// Null where it is none that is remembered. The pointer is good until the next news.
const SeenBuild* build_of(const MonitorData& data, BuildNumber number);
// Those of one build, or all.
std::vector<InFlight> in_flight_of(const MonitorData& data, BuildNumber build);

// Of the newest events (of one build, or of all) a bar for each column: the share of hits among what was cacheable. The newest is
// at the right.
std::string sparkline(const std::deque<SeenEvent>& events, size_t columns, BuildNumber build = 0);

}  // namespace kache
