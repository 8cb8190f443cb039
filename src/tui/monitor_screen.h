// `kache monitor`: which tab is shown and how, and what the keys do.
#pragma once

#include <array>

#include "tui/key.h"
#include "tui/monitor_tabs.h"

namespace kache {

struct TabState {
  ListPlace place;
  std::string filter;
  size_t order = 0;
  bool has_details = false;
};

struct MonitorScreen {
  size_t tab = 0;
  std::array<TabState, kTabs> tabs;
  bool is_typing = false;   // the filter
  std::string old_filter;   // what Esc brings back
  bool has_help = false, is_paused = false;

  TabState& now() { return tabs[tab]; }
  const TabState& now() const { return tabs[tab]; }
};

enum class MonitorAnswer : uint8_t { none, quit, clear, rescan };

MonitorAnswer press(MonitorScreen& screen, const MonitorData& data, const Key& key, int height);
Frame draw(const MonitorScreen& screen, const MonitorData& data, int width, int height, int64_t now_ns);
// All tabs one below the other, for a pipe.
std::string monitor_text(const MonitorData& data, int64_t now_ns);

}  // namespace kache
