#include "tui/monitor_head.h"

#include <algorithm>

#include "tui/words.h"
#include "wrapper/progress.h"

namespace kache {
namespace {

std::string text_of(const Counts& counts) {
  std::string text = "Hit rate " + share(counts.hits(), counts.total()) + " (";
  struct Named {
    const char* name;
    uint64_t count;
    bool is_always;
  };
  std::string list;
  for (const Named& one : {Named{"local", counts.local_hits, true}, Named{"prefetch", counts.prefetch_hits, false}, Named{"remote", counts.remote_hits, false},
                           Named{"dup", counts.dups, false}, Named{"miss", counts.misses, true}, Named{"error", counts.errors, false},
                           Named{"pass", counts.passthroughs, false}}) {
    if (one.is_always || one.count > 0) list += (list.empty() ? "" : ", ") + std::string(one.name) + " " + std::to_string(one.count);
  }
  return text + list + ")";
}

}  // namespace

std::vector<TabPlace> tab_places(size_t current, int width) {
  bool is_narrow = width < 70;
  int x = is_narrow ? 0 : display_width("kache  ");
  std::vector<TabPlace> places;
  for (size_t i = 0; i < kTabs; ++i) {
    std::string name = is_narrow && i != current ? "" : std::string(" ") + monitor_tab(i).name;
    TabPlace place{" " + std::to_string(i + 1) + name + " ", x, 0};
    place.end = x + display_width(place.text);
    x = place.end + (is_narrow ? 0 : 1);
    places.push_back(std::move(place));
  }
  return places;
}

void draw_tabs(Frame& frame, size_t current) {
  std::vector<TabPlace> places = tab_places(current, frame.width());
  if (places.front().x > 0) frame.put(0, 0, "kache", Style::title);
  for (size_t i = 0; i < kTabs; ++i) {
    frame.put(places[i].x, 0, places[i].text, i == current ? Style::title : Style::plain);
    if (i == current) frame.reverse(0, places[i].x, places[i].end);
  }
}

void draw_head(Frame& frame, const MonitorData& data, const Counts& counts, const std::string& build) {
  std::string store = "Store " + (data.has_store ? format_size(data.store.blob_bytes) + " / " + format_size(data.store_limit) : "…");
  // What is not of all must not be cut off.
  int x = build.empty() ? frame.put(0, 1, store) : frame.put(0, 1, build, Style::accent);
  x = frame.put(x + 3, 1, text_of(counts));
  if (build.empty()) frame.put(x + 3, 1, "last " + data.since, Style::dim);
  else frame.put_cut(x + 3, 1, frame.width() - x - 3, store);
  x = frame.put(0, 2, data.wrapper, data.is_set_up ? Style::good : Style::warn);
  frame.put_cut(x + (x > 0 ? 3 : 0), 2, frame.width() - x - 3, data.cache_dir, Style::dim);
}

void draw_in_flight(Frame& frame, int y, std::vector<InFlight> flights, int64_t now_ns, bool has_title) {
  std::sort(flights.begin(), flights.end(), [](const InFlight& a, const InFlight& b) { return a.started_ns < b.started_ns; });
  if (has_title) {
    std::string title = "In flight: " + std::to_string(flights.size());
    if (flights.size() > kMostInFlight) title += ", the " + std::to_string(kMostInFlight) + " longest";
    frame.put(0, y++, title, Style::title);
  }
  size_t shown = std::min(flights.size(), has_title ? kMostInFlight : 1);
  for (size_t i = 0; i < shown; ++i) {
    uint64_t elapsed = static_cast<uint64_t>(std::max<int64_t>(now_ns - flights[i].started_ns, 0)) / 1'000'000'000;
    uint64_t typical = flights[i].beat.typical_s;
    int x = frame.put(1, y, padded_to(flights[i].beat.crate_name, std::max(frame.width() / 2 - 12, 8)), Style::accent);
    x = frame.put(x + 1, y, format_duration(elapsed));
    if (typical == 0) frame.put(x, y, "  (never compiled before)", Style::dim);
    else if (typical > elapsed) frame.put(x, y, "  typical " + format_duration(typical) + ", ETA " + format_duration(typical - elapsed));
    else frame.put(x, y, "  typical " + format_duration(typical) + ", late by " + format_duration(elapsed - typical), Style::warn);
    ++y;
  }
}

}  // namespace kache
