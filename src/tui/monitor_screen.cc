#include "tui/monitor_screen.h"

#include <algorithm>

#include "tui/monitor_head.h"
#include "tui/words.h"

namespace kache {
namespace {

constexpr int kFewestForHead = 12, kFewestForDetails = 12;

struct HelpLine {
  const char *keys, *text;
};
constexpr HelpLine kHelp[] = {
    {"1-5, Tab, Shift-Tab", "another tab"},
    {"Up Down PgUp PgDn Home End", "another row"},
    {"Enter", "more about the row, or less"},
    {"w", "why it was not a hit, as kache why-miss says it"},
    {"b", "events of one build, or of all"},
    {"f or /", "filter; Enter keeps it, Esc drops it"},
    {"s", "another order"},
    {"p", "pause, and go on"},
    {"c", "forget the events (Build)"},
    {"r", "look for build directories again (Projects)"},
    {"mouse", "tabs, rows (again: as Enter), titles; the wheel"},
    {"m", "leave the mouse to the terminal, and take it back"},
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

// What the chosen build leaves of the data.
struct Shown {
  BuildNumber build;
  Counts counts;
  std::vector<InFlight> flights;
};

Shown shown_of(const MonitorScreen& screen, const MonitorData& data) {
  Shown shown;
  shown.build = chosen_build(screen.build, data);
  const SeenBuild* build = build_of(data, shown.build);
  shown.counts = build ? build->counts : shown.build == 0 ? data.counts : Counts();
  shown.flights = in_flight_of(data, shown.build);
  return shown;
}

std::vector<size_t> rows_of(const MonitorScreen& screen, const MonitorData& data) {
  return listed_rows(data, screen.tab, screen.now().order, screen.now().filter, chosen_build(screen.build, data));
}

void follow_event(TabState& state, const MonitorData& data, const std::vector<size_t>& rows) {
  if (state.event == 0) return;
  auto row = std::find_if(rows.begin(), rows.end(), [&](size_t i) { return data.events[i].number == state.event; });
  if (row == rows.end()) return;
  size_t now = static_cast<size_t>(row - rows.begin()), above = state.place.cursor - std::min(state.place.cursor, state.place.top);
  state.place.cursor = now;
  state.place.top = now - std::min(now, above);
}

void note_event(MonitorScreen& screen, const MonitorData& data) {
  TabState& state = screen.now();
  std::vector<size_t> rows = rows_of(screen, data);
  bool is_noted = monitor_tab(screen.tab).build && state.place.cursor > 0 && state.place.cursor < rows.size();
  state.event = is_noted ? data.events[rows[state.place.cursor]].number : 0;
}

Areas divide(const MonitorScreen& screen, const MonitorData& data, const Shown& shown, int height) {
  Areas areas;
  bool is_build = screen.tab == kBuildTab;
  areas.head = height >= kFewestForHead ? 3 : 1;
  int y = areas.head;
  if (is_build && !shown.flights.empty()) {
    areas.flight = y;
    size_t room = height >= kFewestForHead ? kMostInFlight : 1;
    y += static_cast<int>(std::min(shown.flights.size(), room)) + (height >= kFewestForHead ? 1 : 0);
  }
  if (is_build && height >= kFewestForHead && shown.counts.total() > 0) areas.spark = y++;
  areas.titles = y++;
  areas.list = y;
  areas.last = height - 1;
  int bottom = areas.last;
  if (screen.now().has_details && height >= kFewestForDetails) areas.details = bottom -= kDetailLines;
  if (height >= kFewestForHead && !monitor_tab(screen.tab).sum(data).empty()) areas.sum = --bottom;
  areas.page = static_cast<size_t>(std::max(bottom - y, 1));
  return areas;
}

// Of what lies over the tabs: from the second line to the last but one.
constexpr int kPaneTop = 1, kBuildsList = kPaneTop + 1;
size_t pane_page(int height, int top) { return static_cast<size_t>(std::max(height - 1 - top, 1)); }

void draw_help(Frame& frame) {
  frame.put(0, kPaneTop, "Keys", Style::title);
  int y = kPaneTop + 1, width = frame.width() < 60 ? 20 : 28;
  for (const HelpLine& line : kHelp) {
    frame.put_cut(1, y, width, line.keys, Style::accent);
    frame.put_cut(width + 2, y++, frame.width() - width - 2, line.text);
  }
}

// The keys, and at the right where one is.
void draw_last(Frame& frame, const std::string& keys, const std::string& where, Style style = Style::dim) {
  int y = frame.height() - 1;
  frame.put_right(frame.width(), y, where, Style::dim);
  frame.put_cut(0, y, frame.width() - display_width(where) - 1, keys, style);
}

void draw_filter(Frame& frame, const std::string& filter, const std::string& where) {
  int y = frame.height() - 1;
  frame.put_right(frame.width(), y, where, Style::dim);
  std::string typed = cut_to_width(filter, frame.width() - display_width(where) - 10, true);
  int x = frame.put(0, y, "Filter: " + typed, Style::accent);
  frame.reverse(y, x, x + 1);
}

void draw_pane(Frame& frame, const MonitorScreen& screen, const MonitorData& data, int64_t now_ns) {
  int height = frame.height();
  if (screen.pane == Pane::help) {
    draw_help(frame);
    draw_last(frame, "Esc or ? back", "");
  } else if (screen.pane == Pane::builds) {
    size_t count = build_choices(data).size(), page = pane_page(height, kBuildsList);
    ListPlace place = screen.builds;
    place.settle(count, page);
    draw_builds(frame, kBuildsList, page, place, data, now_ns);
    draw_last(frame, "Enter choose  Esc back", position(place, count, page));
  } else {
    bool is_known = data.explained.is_known && data.explained.asked == screen.asked;
    std::vector<std::string> lines = wrapped(is_known ? data.explained.text : "Looking…", frame.width());
    std::string where = put_text(frame, kPaneTop, height - 1, screen.why, lines);
    draw_last(frame, "Up Down PgUp PgDn scroll  Esc back", where);
  }
}

std::string keys_of(const MonitorScreen& screen) {
  const TabState& state = screen.now();
  const Tab& tab = monitor_tab(screen.tab);
  std::string keys = state.filter.empty() ? "f filter" : "filter: " + state.filter + " (Esc drops it)";
  keys += std::string("  s sort: ") + tab.orders[state.order] + (tab.build ? "  b builds  w why" : "");
  return keys + "  Enter more  p pause  ? help  q quit";
}

void draw_rows(Frame& frame, const MonitorScreen& screen, const MonitorData& data, const Areas& areas, const std::vector<size_t>& rows, int64_t now_ns) {
  const Tab& tab = monitor_tab(screen.tab);
  const TabState& state = screen.now();
  if (rows.empty()) {
    bool is_looking = screen.tab == kProjectsTab && !data.was_scanned;
    bool is_other = tab.build && screen.build.kind != BuildChoice::all;
    const char* why = !state.filter.empty() ? "Nothing fits the filter." : is_looking ? "Looking…" : is_other ? "Nothing of this build." : tab.nothing;
    frame.put_cut(0, areas.titles, frame.width(), why, Style::dim);
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
  screen.now().go_to_top();
}

void choose_build(MonitorScreen& screen, const BuildChoice& choice) {
  screen.build = choice;
  screen.pane = Pane::none;
  for (size_t i = 0; i < kTabs; ++i) {
    if (monitor_tab(i).build) screen.tabs[i].go_to_top();
  }
}

void press_in_builds(MonitorScreen& screen, const MonitorData& data, const Key& key, int height) {
  std::vector<BuildChoice> choices = build_choices(data);
  size_t page = pane_page(height, kBuildsList);
  ListPlace& place = screen.builds;
  place.settle(choices.size(), page);
  if (place.move(key, choices.size(), page)) return;
  if (key.code == Key::enter) return choose_build(screen, choices[place.cursor]);
  if (key.code == Key::click) {
    size_t row = place.top + static_cast<size_t>(std::max(key.y - kBuildsList, 0));
    bool is_row = key.y >= kBuildsList && key.y < kBuildsList + static_cast<int>(page) && row < choices.size();
    if (is_row) choose_build(screen, choices[row]);
    return;
  }
  screen.pane = Pane::none;
}

void press_in_pane(MonitorScreen& screen, const MonitorData& data, const Key& key, int width, int height) {
  if (screen.pane == Pane::builds) return press_in_builds(screen, data, key, height);
  if (screen.pane == Pane::why) {
    size_t lines = wrapped(data.explained.text, width).size();
    if (screen.why.move(key, lines, pane_page(height, kPaneTop)) || key.code == Key::click) return;
  }
  screen.pane = Pane::none;
}

void open_builds(MonitorScreen& screen, const MonitorData& data) {
  std::vector<BuildChoice> choices = build_choices(data);
  auto current = std::find(choices.begin(), choices.end(), screen.build);
  screen.builds = {};
  if (current != choices.end()) screen.builds.cursor = static_cast<size_t>(current - choices.begin());
  screen.pane = Pane::builds;
}

// The key where there is one: names are shared by many units.
const std::string& name_for_why(const BuildEvent& event) {
  return !event.cache_key.empty() ? event.cache_key : !event.invocation_key.empty() ? event.invocation_key : event.crate_name;
}

MonitorAnswer ask_why(MonitorScreen& screen, const MonitorData& data) {
  std::vector<size_t> rows = rows_of(screen, data);
  if (rows.empty()) return MonitorAnswer::none;
  screen.asked = name_for_why(data.events[rows[std::min(screen.now().place.cursor, rows.size() - 1)]]);
  screen.why = {};
  screen.pane = Pane::why;
  return MonitorAnswer::explain;
}

void switch_details(TabState& state, const Tab& tab) { state.has_details = !state.has_details && tab.details != nullptr; }

void next_order(TabState& state, const Tab& tab) {
  state.order = (state.order + 1) % tab.orders.size();
  state.go_to_top();
}

// True where it is one of the tabs.
bool click_tab(MonitorScreen& screen, const Key& key, int width) {
  std::vector<TabPlace> places = tab_places(screen.tab, width);
  for (size_t i = 0; i < kTabs && key.y == 0; ++i) {
    if (key.x < places[i].x || key.x >= places[i].end) continue;
    screen.tab = i;
    screen.pane = Pane::none;
    return true;
  }
  return false;
}

void click_list(MonitorScreen& screen, const Areas& areas, size_t count, const Key& key) {
  TabState& state = screen.now();
  if (key.y == areas.titles && count > 0) return next_order(state, monitor_tab(screen.tab));
  if (key.y < areas.list || key.y >= areas.list + static_cast<int>(areas.page)) return;
  size_t row = state.place.top + static_cast<size_t>(key.y - areas.list);
  if (row >= count) return;
  if (row == state.place.cursor) switch_details(state, monitor_tab(screen.tab));
  state.place.cursor = row;
}

// Esc: what was opened last is closed first.
void go_back(MonitorScreen& screen) {
  TabState& state = screen.now();
  if (state.has_details) state.has_details = false;
  else if (!state.filter.empty()) state.filter.clear();
  else choose_build(screen, {});
}

MonitorAnswer press_in_list(MonitorScreen& screen, const MonitorData& data, const Key& key, int height) {
  TabState& state = screen.now();
  const Tab& tab = monitor_tab(screen.tab);
  std::vector<size_t> rows = rows_of(screen, data);
  size_t count = rows.size();
  follow_event(state, data, rows);
  Areas areas = divide(screen, data, shown_of(screen, data), height);
  state.place.settle(count, areas.page);
  bool is_move = state.place.move(key, count, areas.page);
  if (key.code == Key::click) click_list(screen, areas, count, key);
  if (is_move || key.code == Key::click) return note_event(screen, data), MonitorAnswer::none;
  if (key.is("?") || key.is("h")) screen.pane = Pane::help;
  if (key.is("p")) screen.is_paused = !screen.is_paused;
  if (key.is("m")) screen.has_mouse = !screen.has_mouse;
  if (key.is("r")) return MonitorAnswer::rescan;
  if (key.is("c") && screen.tab == kBuildTab) return choose_build(screen, {}), MonitorAnswer::clear;
  if (key.is("s")) next_order(state, tab);
  if (key.is("b") && tab.build) open_builds(screen, data);
  if (key.is("w") && tab.build) return ask_why(screen, data);
  if (key.is("f") || key.is("/")) screen.is_typing = true, screen.old_filter = state.filter;
  if (key.code == Key::enter) switch_details(state, tab);
  if (key.code == Key::escape) go_back(screen);
  if (key.code == Key::tab || key.code == Key::right) screen.tab = (screen.tab + 1) % kTabs;
  if (key.code == Key::back_tab || key.code == Key::left) screen.tab = (screen.tab + kTabs - 1) % kTabs;
  if (key.code == Key::text && key.typed >= "1" && key.typed <= "5" && key.typed.size() == 1) screen.tab = static_cast<size_t>(key.typed[0] - '1');
  return MonitorAnswer::none;
}

}  // namespace

MonitorAnswer press(MonitorScreen& screen, const MonitorData& data, const Key& key, int width, int height) {
  if (key.code == Key::quit) return MonitorAnswer::quit;
  if (key.code == Key::none || key.code == Key::resize) return MonitorAnswer::none;
  if (key.code == Key::click && click_tab(screen, key, width)) return screen.is_typing = false, MonitorAnswer::none;
  if (screen.is_typing) return press_in_filter(screen, key), MonitorAnswer::none;
  if (key.is("q")) return MonitorAnswer::quit;
  if (screen.pane != Pane::none) return press_in_pane(screen, data, key, width, height), MonitorAnswer::none;
  return press_in_list(screen, data, key, height);
}

Frame draw(const MonitorScreen& given, const MonitorData& data, int width, int height, int64_t now_ns) {
  MonitorScreen screen = given;
  Frame frame(width, height);
  draw_tabs(frame, screen.tab);
  if (screen.is_paused) frame.put_right(width, 0, "PAUSED", Style::warn);
  else if (!screen.has_mouse) frame.put_right(width, 0, "mouse off", Style::dim);
  if (screen.pane != Pane::none) return draw_pane(frame, screen, data, now_ns), frame;
  Shown shown = shown_of(screen, data);
  Areas areas = divide(screen, data, shown, height);
  if (areas.head > 1) draw_head(frame, data, shown.counts, name_of_choice(screen.build, data));
  if (areas.flight > 0) draw_in_flight(frame, areas.flight, shown.flights, now_ns, height >= kFewestForHead);
  if (areas.spark > 0) {
    int x = frame.put(0, areas.spark, "Hit rate (recent) ", Style::dim);
    frame.put(x, areas.spark, sparkline(data.events, static_cast<size_t>(std::max(width - x, 0)), shown.build), Style::good);
  }
  const Tab& tab = monitor_tab(screen.tab);
  const TabState& state = screen.now();
  std::vector<size_t> rows = rows_of(screen, data);
  follow_event(screen.now(), data, rows);
  screen.now().place.settle(rows.size(), areas.page);
  draw_rows(frame, screen, data, areas, rows, now_ns);
  if (areas.sum >= 0) frame.put_cut(0, areas.sum, width, tab.sum(data), Style::dim);
  if (areas.details >= 0 && tab.details && !rows.empty()) {
    for (int x = 0; x < width; ++x) frame.put(x, areas.details, "─", Style::dim);
    int y = areas.details;
    for (const std::string& line : tab.details(data, rows[state.place.cursor])) frame.put_cut(0, ++y, width, line);
  }
  std::string where = position(state.place, rows.size(), areas.page);
  if (screen.is_typing) draw_filter(frame, state.filter, where);
  else draw_last(frame, keys_of(screen), where, state.filter.empty() ? Style::dim : Style::accent);
  return frame;
}

std::string monitor_text(const MonitorData& data, int64_t now_ns) {
  constexpr int kWidth = 110;
  constexpr size_t kMostRows = 20;
  Frame head(kWidth, 3);
  draw_head(head, data, data.counts, "");
  std::string text = head.line(1) + "\n" + head.line(2) + "\n";
  if (!data.in_flight.empty()) {
    int lines = static_cast<int>(std::min(data.in_flight.size(), kMostInFlight)) + 1;
    Frame flight(kWidth, lines);
    draw_in_flight(flight, 0, data.in_flight, now_ns, true);
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
