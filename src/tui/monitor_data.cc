#include "tui/monitor_data.h"

#include <algorithm>

namespace kache {
namespace {

struct Counter {
  const char* result;
  uint64_t Counts::*count;
};
constexpr Counter kCounters[] = {{"local_hit", &Counts::local_hits}, {"prefetch_hit", &Counts::prefetch_hits}, {"remote_hit", &Counts::remote_hits},
                                 {"dup", &Counts::dups},             {"miss", &Counts::misses},                {"passthrough", &Counts::passthroughs},
                                 {"skipped", &Counts::passthroughs}};

constexpr const char* kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

}  // namespace

void add_event(MonitorData& data, BuildEvent event) {
  if (event.is_probe()) return;
  std::erase_if(data.in_flight, [&](const InFlight& one) {
    return one.beat.crate_name == event.crate_name && one.beat.root == event.root && event.end_ns >= one.beat.at_ns;
  });
  for (const Counter& counter : kCounters) {
    if (event.result == counter.result) ++(data.counts.*counter.count);
  }
  data.counts.errors += event.is_error();
  if (event.is_hit()) data.counts.saved_ms += event.compile_time_ms;
  if (event.is_compiled()) data.counts.spent_ms += event.compile_time_ms;
  data.events.push_back(std::move(event));
  if (data.events.size() > kMostEvents) data.events.pop_front();
}

void add_heartbeat(MonitorData& data, const Heartbeat& beat) {
  int64_t started = beat.at_ns - static_cast<int64_t>(std::min<uint64_t>(beat.elapsed_s, 1'000'000'000)) * 1'000'000'000;
  auto known = std::find_if(data.in_flight.begin(), data.in_flight.end(),
                            [&](const InFlight& one) { return one.beat.pid == beat.pid && one.beat.crate_name == beat.crate_name; });
  if (known == data.in_flight.end()) data.in_flight.push_back({beat, started});
  else known->beat = beat;
}

void add_transfer(MonitorData& data, Transfer transfer) {
  data.transfers.push_back(std::move(transfer));
  if (data.transfers.size() > kMostTransfers) data.transfers.pop_front();
}

void drop_silent(MonitorData& data, int64_t now_ns) {
  int64_t patience = static_cast<int64_t>(std::max<uint64_t>(data.heartbeat_secs, 30)) * 3 * 1'000'000'000;
  std::erase_if(data.in_flight, [&](const InFlight& one) { return now_ns - one.beat.at_ns > patience; });
}

void clear_events(MonitorData& data) {
  data.events.clear();
  data.counts = {};
}

std::string sparkline(const std::deque<BuildEvent>& events, size_t columns) {
  std::vector<bool> hits;
  for (const BuildEvent& event : events) {
    if (event.is_hit() || event.is_compiled()) hits.push_back(event.is_hit());
  }
  if (hits.empty() || columns == 0) return {};
  // Each bar stands for as many as are needed for the newest few hundred to find room.
  constexpr size_t kRecent = 400;
  size_t recent = std::min(hits.size(), kRecent), each = (recent + columns - 1) / columns;
  std::string line;
  for (size_t bar = std::min(columns, (recent + each - 1) / each); bar > 0; --bar) {
    size_t end = hits.size() - (bar - 1) * each, start = end > each ? end - each : 0, good = 0;
    for (size_t i = start; i < end; ++i) good += hits[i];
    line += kBars[good * (std::size(kBars) - 1) / (end - start)];
  }
  return line;
}

}  // namespace kache
