// Of which build the monitor shows events, and the list in which that is chosen.
#pragma once

#include "tui/list.h"
#include "tui/monitor_data.h"

namespace kache {

struct BuildChoice {
  enum Kind : uint8_t { all, latest, one } kind = all;
  BuildNumber number = 0;  // of `one`
  bool operator==(const BuildChoice&) const = default;
};

// 0: all of them.
BuildNumber chosen_build(const BuildChoice& choice, const MonitorData& data);
// What the head calls it: "cargo of 12:03:59"; "" of all.
std::string name_of_choice(const BuildChoice& choice, const MonitorData& data);

// All, the latest, and then each build, the one that was last heard of first.
std::vector<BuildChoice> build_choices(const MonitorData& data);

// `list` is the first line of the choices; the titles are above it.
void draw_builds(Frame& frame, int list, size_t page, const ListPlace& place, const MonitorData& data, int64_t now_ns);

}  // namespace kache
