#include "tui/monitor_screen.h"

#include <algorithm>

#include "base/utf8.h"
#include "tui/words.h"
#include "wrapper/progress.h"

namespace kache {
namespace {

constexpr size_t kMostInFlight = 6;
constexpr int kFewestForHead = 12, kFewestForDetails = 12;

struct HelpLine {
  const char *keys, *text;
};
constexpr HelpLine kHelp[] = {
    {"1-5, Tab, Shift-Tab", "another tab"},
    {"Up Down PgUp PgDn Home End", "another row"},
    {"Enter", "more about the row, or less"},
    {"f or /", "filter; Enter keeps it, Esc drops it"},
    {"s", "another order"},
    {"p", "pause, and go on"},
    {"c", "forget the events (Build)"},
    {"r", "look for build directories again (Projects)"},
    {"Esc", "one level back"},
    {"q, Ctrl-C", "quit"},
};

// Which lines belong to what. All of them are cut where there is no room.
struct Areas {
  int head = 1;               // lines of the head, the tabs included
  int flight = 0, spark = 0;  // of the Build tab
  int titles = 0, list = 0;   // the first line of each
  size_t page = 1;            // lines of the list
  int sum = -1, details = -1;  // -1: not shown
  int last = 0;
};

constexpr int kDetailLines = 5;

Areas divide(const MonitorScreen& screen, const MonitorData& data, int height) {
  Areas areas;
  bool is_build = screen.tab == kBuildTab;
  areas.head = height >= kFewestForHead ? 3 : 1;
  int y = areas.head;
  if (is_build && !data.in_flight.empty()) {
    areas.flight = y;
    size_t room = height >= kFewestForHead ? kMostInFlight : 1;
    y += static_cast<int>(std::min(data.in_flight.size(), room)) + (height >= kFewestForHead ? 1 : 0);
  }
  if (is_build && height >= kFewestForHead && data.counts.total() > 0) areas.spark = y++;
  areas.titles = y++;
  areas.list = y;
  areas.last = height - 1;
  int bottom = areas.last;
  if (screen.now().has_details && height >= kFewestForDetails) areas.details = bottom -= kDetailLines;
  if (height >= kFewestForHead && !monitor_tab(screen.tab).sum(data).empty()) areas.sum = --bottom;
  areas.page = static_cast<size_t>(std::max(bottom - y, 1));
  return areas;
}

void draw_tabs(Frame& frame, const MonitorScreen& screen) {
  bool is_narrow = frame.width() < 70;
  int x = is_narrow ? 0 : frame.put(0, 0, "kache  ", Style::title);
  for (size_t i = 0; i < kTabs; ++i) {
    bool is_current = i == screen.tab;
    std::string name = monitor_tab(i).name;
    // Where all of them find no room, the others are only numbers.
    std::string text = " " + std::to_string(i + 1) + (is_narrow && !is_current ? "" : " " + name) + " ";
    int end = frame.put(x, 0, text, is_current ? Style::title : Style::plain);
    if (is_current) frame.reverse(0, x, end);
    x = end + (is_narrow ? 0 : 1);
  }
  if (screen.is_paused) frame.put_right(frame.width(), 0, "PAUSED", Style::warn);
}

std::string head_of_counts(const MonitorData& data) {
  const Counts& counts = data.counts;
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

void draw_head(Frame& frame, const MonitorData& data) {
  std::string store = data.has_store ? format_size(data.store.blob_bytes) + " / " + format_size(data.store_limit) : "…";
  int x = frame.put(0, 1, "Store " + store + "   ");
  x = frame.put(x, 1, head_of_counts(data));
  frame.put(x, 1, "   last " + data.since, Style::dim);
  x = frame.put(0, 2, data.wrapper, data.is_set_up ? Style::good : Style::warn);
  frame.put_cut(x + (x > 0 ? 3 : 0), 2, frame.width() - x - 3, data.cache_dir, Style::dim);
}

void draw_in_flight(Frame& frame, int y, const MonitorData& data, int64_t now_ns, bool has_title) {
  std::vector<InFlight> flights = data.in_flight;
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

void draw_help(Frame& frame) {
  frame.put(0, 1, "Keys", Style::title);
  int y = 2, width = frame.width() < 60 ? 20 : 28;
  for (const HelpLine& line : kHelp) {
    frame.put_cut(1, y, width, line.keys, Style::accent);
    frame.put_cut(width + 2, y++, frame.width() - width - 2, line.text);
  }
  frame.put(0, frame.height() - 1, "Esc or ? back", Style::dim);
}

void draw_last(Frame& frame, int y, const MonitorScreen& screen, size_t count, const Areas& areas) {
  const TabState& state = screen.now();
  std::string where = position(state.place, count, areas.page);
  int room = frame.width() - display_width(where) - 1;
  frame.put_right(frame.width(), y, where, Style::dim);
  if (screen.is_typing) {
    std::string typed = cut_to_width(state.filter, room - 9, true);
    int x = frame.put(0, y, "Filter: " + typed, Style::accent);
    frame.reverse(y, x, x + 1);
    return;
  }
  std::string order = monitor_tab(screen.tab).orders[state.order];
  std::string keys = state.filter.empty() ? "f filter" : "filter: " + state.filter + " (Esc drops it)";
  keys += "  s sort: " + order + "  Enter details  p pause  ? help  q quit";
  frame.put_cut(0, y, room, keys, state.filter.empty() ? Style::dim : Style::accent);
}

void draw_rows(Frame& frame, const MonitorScreen& screen, const MonitorData& data, const Areas& areas, const std::vector<size_t>& rows, int64_t now_ns) {
  const Tab& tab = monitor_tab(screen.tab);
  const TabState& state = screen.now();
  if (rows.empty()) {
    bool is_looking = screen.tab == kProjectsTab && !data.was_scanned;
    frame.put_cut(0, areas.titles, frame.width(), !state.filter.empty() ? "Nothing fits the filter." : is_looking ? "Looking…" : tab.nothing, Style::dim);
    return;
  }
  std::vector<int> widths = fit_columns(tab.columns, frame.width());
  put_titles(frame, 0, areas.titles, tab.columns, widths);
  for (size_t i = state.place.top; i < std::min(state.place.top + areas.page, rows.size()); ++i) {
    int y = areas.list + static_cast<int>(i - state.place.top);
    TabRow row = tab.row(data, rows[i], now_ns);
    put_row(frame, 0, y, tab.columns, widths, row.cells, row.styles);
    if (i == state.place.cursor) frame.reverse(y);
  }
}

// One character less, however many bytes it has.
void drop_last_character(std::string& text) {
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
  if (!text.empty()) text.pop_back();
}

void press_in_filter(MonitorScreen& screen, const Key& key) {
  std::string& filter = screen.now().filter;
  if (key.code == Key::text) filter += key.typed;
  else if (key.code == Key::backspace) drop_last_character(filter);
  else if (key.code == Key::enter) screen.is_typing = false;
  else if (key.code == Key::escape) screen.is_typing = false, filter = screen.old_filter;
  screen.now().place = {};
}

// Esc: what was opened last is closed first.
void go_back(MonitorScreen& screen) {
  TabState& state = screen.now();
  if (state.has_details) state.has_details = false;
  else state.filter.clear();
}

}  // namespace

MonitorAnswer press(MonitorScreen& screen, const MonitorData& data, const Key& key, int height) {
  if (key.code == Key::quit) return MonitorAnswer::quit;
  if (key.code == Key::none || key.code == Key::resize) return MonitorAnswer::none;
  if (screen.is_typing) return press_in_filter(screen, key), MonitorAnswer::none;
  if (screen.has_help) {
    if (key.is("q")) return MonitorAnswer::quit;
    screen.has_help = false;
    return MonitorAnswer::none;
  }
  TabState& state = screen.now();
  size_t count = listed_rows(data, screen.tab, state.order, state.filter).size();
  if (state.place.move(key, count, divide(screen, data, height).page)) return MonitorAnswer::none;
  if (key.is("q")) return MonitorAnswer::quit;
  if (key.is("?") || key.is("h")) screen.has_help = true;
  if (key.is("p")) screen.is_paused = !screen.is_paused;
  if (key.is("r")) return MonitorAnswer::rescan;
  if (key.is("c") && screen.tab == kBuildTab) return state.place = {}, MonitorAnswer::clear;
  if (key.is("s")) state.order = (state.order + 1) % monitor_tab(screen.tab).orders.size(), state.place = {};
  if (key.is("f") || key.is("/")) screen.is_typing = true, screen.old_filter = state.filter;
  if (key.code == Key::enter) state.has_details = !state.has_details && monitor_tab(screen.tab).details != nullptr;
  if (key.code == Key::escape) go_back(screen);
  if (key.code == Key::tab || key.code == Key::right) screen.tab = (screen.tab + 1) % kTabs;
  if (key.code == Key::back_tab || key.code == Key::left) screen.tab = (screen.tab + kTabs - 1) % kTabs;
  if (key.code == Key::text && key.typed >= "1" && key.typed <= "5" && key.typed.size() == 1) screen.tab = static_cast<size_t>(key.typed[0] - '1');
  return MonitorAnswer::none;
}

Frame draw(const MonitorScreen& given, const MonitorData& data, int width, int height, int64_t now_ns) {
  MonitorScreen screen = given;
  Frame frame(width, height);
  draw_tabs(frame, screen);
  if (screen.has_help) return draw_help(frame), frame;
  Areas areas = divide(screen, data, height);
  if (areas.head > 1) draw_head(frame, data);
  if (areas.flight > 0) draw_in_flight(frame, areas.flight, data, now_ns, height >= kFewestForHead);
  if (areas.spark > 0) {
    int x = frame.put(0, areas.spark, "Hit rate (recent) ", Style::dim);
    frame.put(x, areas.spark, sparkline(data.events, static_cast<size_t>(std::max(width - x, 0))), Style::good);
  }
  const Tab& tab = monitor_tab(screen.tab);
  std::vector<size_t> rows = listed_rows(data, screen.tab, screen.now().order, screen.now().filter);
  screen.now().place.settle(rows.size(), areas.page);
  draw_rows(frame, screen, data, areas, rows, now_ns);
  if (areas.sum >= 0) frame.put_cut(0, areas.sum, width, tab.sum(data), Style::dim);
  if (areas.details >= 0 && tab.details && !rows.empty()) {
    for (int x = 0; x < width; ++x) frame.put(x, areas.details, "─", Style::dim);
    int y = areas.details;
    for (const std::string& line : tab.details(data, rows[screen.now().place.cursor])) frame.put_cut(0, ++y, width, line);
  }
  draw_last(frame, areas.last, screen, rows.size(), areas);
  return frame;
}

std::string monitor_text(const MonitorData& data, int64_t now_ns) {
  constexpr int kWidth = 110;
  constexpr size_t kMostRows = 20;
  Frame head(kWidth, 3);
  draw_head(head, data);
  std::string text = head.line(1) + "\n" + head.line(2) + "\n";
  if (!data.in_flight.empty()) {
    int lines = static_cast<int>(std::min(data.in_flight.size(), kMostInFlight)) + 1;
    Frame flight(kWidth, lines);
    draw_in_flight(flight, 0, data, now_ns, true);
    text += "\n" + flight.text();
  }
  for (size_t which = 0; which < kTabs; ++which) {
    const Tab& tab = monitor_tab(which);
    text += "\n" + std::string(tab.name) + "\n";
    if (which == kProjectsTab) {
      text += "  see kache clean --dry-run\n";
      continue;
    }
    std::vector<size_t> rows = listed_rows(data, which, 0, "");
    if (rows.empty()) text += "  " + std::string(tab.nothing) + "\n";
    else {
      int lines = static_cast<int>(std::min(rows.size(), kMostRows)) + 1;
      Frame frame(kWidth, lines);
      std::vector<int> widths = fit_columns(tab.columns, kWidth - 2);
      put_titles(frame, 2, 0, tab.columns, widths);
      for (int i = 1; i < lines; ++i) put_row(frame, 2, i, tab.columns, widths, tab.row(data, rows[static_cast<size_t>(i - 1)], now_ns).cells);
      text += frame.text();
      if (rows.size() > kMostRows) text += "  and " + std::to_string(rows.size() - kMostRows) + " more\n";
    }
    if (!tab.sum(data).empty() && (which != kTransferTab || !rows.empty())) text += "  " + tab.sum(data) + "\n";
  }
  return text;
}

}  // namespace kache
