// `kache monitor`: which tab is shown and how, and what keys and the mouse do.
#pragma once

#include <array>

#include "tui/key.h"
#include "tui/monitor_builds.h"
#include "tui/monitor_tabs.h"
#include "tui/text_pane.h"

namespace kache {

struct TabState {
  ListPlace place;
  uint64_t event = 0;  // that of the cursor, which stays with it while others arrive; 0: the cursor stays at the top
  std::string filter;
  size_t order = 0;
  bool has_details = false;

  void go_to_top() { place = {}, event = 0; }
};

// What lies over the tabs.
enum class Pane : uint8_t { none, help, builds, why };

struct MonitorScreen {
  size_t tab = 0;
  std::array<TabState, kTabs> tabs;
  bool is_typing = false;   // the filter
  std::string old_filter;   // what Esc brings back
  Pane pane = Pane::none;
  BuildChoice build;
  ListPlace builds;         // in the list of them
  std::string asked;        // whose explanation is wanted: a key or a name
  TextPane why;
  bool is_paused = false, has_mouse = true;

  TabState& now() { return tabs[tab]; }
  const TabState& now() const { return tabs[tab]; }
};

// explain: of `asked`, into MonitorData::explained.
enum class MonitorAnswer : uint8_t { none, quit, clear, rescan, explain };

// `width` and `height` are those of the terminal.
MonitorAnswer press(MonitorScreen& screen, const MonitorData& data, const Key& key, int width, int height);
Frame draw(const MonitorScreen& screen, const MonitorData& data, int width, int height, int64_t now_ns);
// All tabs one below the other, for a pipe.
std::string monitor_text(const MonitorData& data, int64_t now_ns);

}  // namespace kache
