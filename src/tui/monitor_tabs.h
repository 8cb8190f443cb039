// The tabs of the monitor: what each lists, by one table. Drawing and keys are the same for all (monitor_screen.h).
#pragma once

#include "tui/list.h"
#include "tui/monitor_data.h"

namespace kache {

struct TabRow {
  std::vector<std::string> cells;
  std::vector<Style> styles;
};

struct Tab {
  const char* name;
  std::vector<Column> columns;
  std::vector<const char*> orders;  // what `s` goes through
  const char* nothing;              // said where there are no rows
  size_t (*count)(const MonitorData& data);
  bool (*is_listed)(const MonitorData& data, size_t i);
  // What the filter looks in.
  std::string (*words)(const MonitorData& data, size_t i);
  bool (*is_before)(const MonitorData& data, size_t order, size_t a, size_t b);
  TabRow (*row)(const MonitorData& data, size_t i, int64_t now_ns);
  // Whose row it is; none: rows are of no build.
  BuildNumber (*build)(const MonitorData& data, size_t i);
  // More of one row, for a panel of some lines; none: there is no more.
  std::vector<std::string> (*details)(const MonitorData& data, size_t i);
  // A line below the rows, "" for none.
  std::string (*sum)(const MonitorData& data);
};

inline constexpr size_t kBuildTab = 0, kProjectsTab = 1, kStoreTab = 2, kTransferTab = 3, kPassthroughTab = 4, kTabs = 5;
const Tab& monitor_tab(size_t which);

// The rows that are shown, in their order: of one build, or of all (0). The filter looks for its words anywhere, whatever their case.
std::vector<size_t> listed_rows(const MonitorData& data, size_t tab, size_t order, const std::string& filter, BuildNumber build = 0);

}  // namespace kache
