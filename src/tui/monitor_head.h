// The upper part of the monitor: the tabs, the counts, the compiles under way.
#pragma once

#include <vector>

#include "tui/monitor_data.h"
#include "tui/monitor_tabs.h"

namespace kache {

inline constexpr size_t kMostInFlight = 6;

// Where the name of a tab stands in the first line.
struct TabPlace {
  std::string text;
  int x = 0, end = 0;
};
// One for each tab. Where all of the names find no room, that of `current` is there and of the others the numbers.
std::vector<TabPlace> tab_places(size_t current, int width);
void draw_tabs(Frame& frame, size_t current);

// Two lines: the store and the counts, and how builds come to kache. `build` names the one that
// the counts are of; "": all of them.
void draw_head(Frame& frame, const MonitorData& data, const Counts& counts, const std::string& build);

// Those that are longest under way. Without a title it is one line.
void draw_in_flight(Frame& frame, int y, std::vector<InFlight> flights, int64_t now_ns, bool has_title);

}  // namespace kache
