#include "tui/monitor_data.h"

#include <algorithm>

#include "index/builds.h"
#include "wrapper/build.h"

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

void count(Counts& counts, const BuildEvent& event) {
  for (const Counter& counter : kCounters) {
    if (event.result == counter.result) ++(counts.*counter.count);
  }
  counts.errors += event.is_error();
  if (event.is_hit()) counts.saved_ms += event.compile_time_ms;
  if (event.is_compiled()) counts.spent_ms += event.compile_time_ms;
}

// What an event or a heartbeat says of its build.
struct News {
  const std::string &session, &tool, &root;
  int64_t start_ns, end_ns;
};

SeenBuild& add_build(MonitorData& data, const std::string& group, int64_t start_ns) {
  SeenBuild build;
  build.number = ++data.last_number;
  build.group = group;
  build.start_ns = start_ns;
  data.newest_of_group[group] = build.number;
  data.builds.push_back(std::move(build));
  if (data.builds.size() > kMostBuilds) {
    const SeenBuild& oldest = data.builds.front();
    if (data.newest_of_group[oldest.group] == oldest.number) data.newest_of_group.erase(oldest.group);
    data.builds.pop_front();
  }
  return data.builds.back();
}

// The build that news are of, made where they are the first.
SeenBuild& note_build(MonitorData& data, const News& news) {
  std::string group = news.session.empty() ? "/" + news.root : news.session;  // no session has a slash
  auto newest = data.newest_of_group.find(group);
  const SeenBuild* known = newest == data.newest_of_group.end() ? nullptr : build_of(data, newest->second);
  bool ends_with_build = !news.session.empty() && is_build_program(news.tool);
  bool is_next = known && !ends_with_build && news.start_ns - known->end_ns > kBuildGapNs;
  SeenBuild& build = known && !is_next ? data.builds[known->number - data.builds.front().number] : add_build(data, group, news.start_ns);
  if (build.tool.empty()) build.tool = news.tool;
  if (build.root.empty()) build.root = news.root;
  build.start_ns = std::min(build.start_ns, news.start_ns);
  build.end_ns = std::max(build.end_ns, news.end_ns);
  return build;
}

SeenBuild& note_build(MonitorData& data, const Heartbeat& beat) {
  return note_build(data, {beat.session_id, beat.build_tool, beat.root, beat.start_ns(), beat.at_ns});
}

}  // namespace

void add_event(MonitorData& data, BuildEvent event) {
  if (event.is_probe()) return;
  std::erase_if(data.in_flight, [&](const InFlight& one) {
    bool is_other_build = !one.beat.session_id.empty() && !event.session_id.empty() && one.beat.session_id != event.session_id;
    return !is_other_build && one.beat.crate_name == event.crate_name && one.beat.root == event.root && event.end_ns >= one.beat.at_ns;
  });
  SeenBuild& build = note_build(data, {event.session_id, event.build_tool, event.root, event.start_ns(), event.end_ns});
  count(data.counts, event);
  count(build.counts, event);
  ++build.units;
  data.events.push_back({std::move(event), build.number, ++data.last_event});
  if (data.events.size() > kMostEvents) data.events.pop_front();
}

void add_heartbeat(MonitorData& data, const Heartbeat& beat) {
  SeenBuild& build = note_build(data, beat);
  auto known = std::find_if(data.in_flight.begin(), data.in_flight.end(),
                            [&](const InFlight& one) { return one.beat.pid == beat.pid && one.beat.crate_name == beat.crate_name; });
  if (known == data.in_flight.end()) data.in_flight.push_back({beat, beat.start_ns(), build.number});
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
  data.builds.clear();
  data.newest_of_group.clear();
  for (InFlight& one : data.in_flight) one.build = note_build(data, one.beat).number;
}

const SeenBuild* build_of(const MonitorData& data, BuildNumber number) {
  bool is_there = !data.builds.empty() && number >= data.builds.front().number && number <= data.builds.back().number;
  return is_there ? &data.builds[number - data.builds.front().number] : nullptr;
}

std::vector<InFlight> in_flight_of(const MonitorData& data, BuildNumber build) {
  std::vector<InFlight> chosen;
  for (const InFlight& one : data.in_flight) {
    if (build == 0 || one.build == build) chosen.push_back(one);
  }
  return chosen;
}

std::string sparkline(const std::deque<SeenEvent>& events, size_t columns, BuildNumber build) {
  std::vector<bool> hits;
  for (const SeenEvent& event : events) {
    bool is_meant = build == 0 || event.build == build;
    if (is_meant && (event.is_hit() || event.is_compiled())) hits.push_back(event.is_hit());
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
