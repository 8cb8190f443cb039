#include "tui/monitor_screen.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNow = int64_t{1'800'000'000} * kSecond;

BuildEvent event_of(const std::string& name, const std::string& result, uint64_t ms = 10, const std::string& reason = "") {
  BuildEvent event;
  event.crate_name = name;
  event.result = result;
  event.end_ns = kNow;
  event.elapsed_ms = ms;
  event.compile_time_ms = ms * 2;
  event.size = 2048;
  event.passthrough_reason = reason;
  return event;
}

Heartbeat beat_of(const std::string& name, const std::string& root, int64_t at_ns, uint64_t pid, uint64_t elapsed_s, uint64_t typical_s,
                  const std::string& session = "") {
  Heartbeat beat;
  beat.crate_name = name;
  beat.root = root;
  beat.session_id = session;
  beat.build_tool = session.empty() ? "" : "cargo";
  beat.at_ns = at_ns;
  beat.pid = pid;
  beat.elapsed_s = elapsed_s;
  beat.typical_s = typical_s;
  return beat;
}

MonitorData data_of(std::initializer_list<BuildEvent> events) {
  MonitorData data;
  data.cwd = "/work";
  data.cache_dir = "/cache";
  data.since = "24h";
  data.store_limit = uint64_t{50} << 30;
  for (const BuildEvent& event : events) add_event(data, event);
  return data;
}

struct Lab {
  MonitorScreen screen;
  MonitorData data;
  int width = 80, height = 24;

  MonitorAnswer press(const Key& key) { return kache::press(screen, data, key, width, height); }
  MonitorAnswer type(const std::string& text) {
    MonitorAnswer answer = MonitorAnswer::none;
    for (char c : text) answer = press({Key::text, std::string(1, c)});
    return answer;
  }
  std::string text() { return draw(screen, data, width, height, kNow).text(); }
  std::string line(int y) { return draw(screen, data, width, height, kNow).line(y); }
  bool shows(const std::string& word) { return text().find(word) != std::string::npos; }
};

TEST(MonitorScreenTest, a_build_on_80_by_24) {
  Lab lab;
  lab.data = data_of({event_of("serde", "local_hit", 2), event_of("tokio", "miss", 1500), event_of("conftest", "passthrough", 5, "unsupported|-o -")});
  EXPECT_EQ(lab.line(0), "kache   1 Build   2 Projects   3 Store   4 Transfer   5 Passthrough");
  EXPECT_EQ(lab.line(1), "Store …   Hit rate 50.0% (local 1, miss 1, pass 1)   last 24h");
  EXPECT_EQ(lab.line(3), "Hit rate (recent) █▁");
  EXPECT_EQ(lab.line(4), "Status      Unit              Action               Compile     Total        Size");
  EXPECT_EQ(lab.line(5), "→ pass      conftest          built (not cached)      10ms       5ms     2.0 KiB");
  EXPECT_EQ(lab.line(6), "● miss      tokio             built + cached          3.0s      1.5s     2.0 KiB");
  EXPECT_EQ(lab.line(7), "✓ hit       serde             restored                 4ms       2ms     2.0 KiB");
  EXPECT_EQ(lab.line(23), "f filter  s sort: newest  b builds  w why  Enter more  p pause  ? help  q quit");
}

TEST(MonitorScreenTest, every_tab_in_every_size) {
  Lab lab;
  lab.data = data_of({});
  for (int i = 0; i < 100; ++i) {
    add_event(lab.data, event_of("unit" + std::to_string(i), i % 3 ? "miss" : "passthrough", 5));
    BuildDir dir;
    dir.path = "/work/p" + std::to_string(i);
    lab.data.projects.push_back(dir);
    IndexedEntry entry;
    entry.crate_name = "unit" + std::to_string(i);
    lab.data.entries.push_back(entry);
    add_transfer(lab.data, {"unit" + std::to_string(i), "download", 5, 5, 1'800'000'000, true});
  }
  for (uint64_t pid = 0; pid < 10; ++pid) add_heartbeat(lab.data, beat_of("slow" + std::to_string(pid), "", kNow, pid, 60, 90));
  for (lab.width = 0; lab.width < 200; lab.width += 13) {
    for (lab.height = 0; lab.height < 60; lab.height += 3) {
      for (size_t tab = 0; tab < kTabs; ++tab) {
        lab.type(std::to_string(tab + 1));
        for (const Key& key : {Key{Key::end}, Key{Key::enter}, Key{Key::page_up}, Key{Key::text, "s"}, Key{Key::text, "?"}, Key{Key::text, "?"},
                               Key{Key::text, "b"}, Key{Key::page_down}, Key{Key::enter}, Key{Key::text, "w"}, Key{Key::end}, Key{Key::escape},
                               Key{Key::click, "", lab.width / 2, lab.height / 2}, Key{Key::wheel_down, "", 0, 0}}) {
          lab.press(key);
          Frame frame = draw(lab.screen, lab.data, lab.width, lab.height, kNow);
          ASSERT_EQ(frame.height(), lab.height);
        }
      }
    }
  }
}

TEST(MonitorScreenTest, a_small_terminal_still_shows_rows) {
  Lab lab;
  lab.data = data_of({event_of("serde", "local_hit"), event_of("tokio", "miss")});
  lab.width = 40, lab.height = 6;
  EXPECT_EQ(lab.line(0), " 1 Build  2  3  4  5");
  EXPECT_TRUE(lab.shows("tokio"));
  EXPECT_TRUE(lab.shows("serde"));
}

TEST(MonitorScreenTest, the_filter_is_each_tabs_own_and_esc_goes_back_by_one) {
  Lab lab;
  lab.data = data_of({event_of("serde", "local_hit"), event_of("Tokio", "miss"), event_of("x", "passthrough", 1, "unsupported|y")});
  lab.type("ftok");
  EXPECT_EQ(lab.line(23), "Filter: tok");
  EXPECT_TRUE(lab.shows("Tokio"));
  EXPECT_FALSE(lab.shows("serde"));
  lab.type("q1");  // these are text now
  EXPECT_TRUE(lab.shows("Nothing fits the filter."));
  lab.press({Key::backspace});
  lab.press({Key::backspace});
  lab.press({Key::enter});
  lab.type("5");
  EXPECT_TRUE(lab.shows("unsupported"));
  EXPECT_FALSE(lab.shows("filter: tok"));
  lab.type("1");
  EXPECT_TRUE(lab.shows("filter: tok"));
  lab.press({Key::enter});  // details
  EXPECT_TRUE(lab.shows("compiler runs"));
  lab.press({Key::escape});
  EXPECT_FALSE(lab.shows("compiler runs"));
  EXPECT_TRUE(lab.shows("filter: tok"));
  lab.press({Key::escape});
  EXPECT_TRUE(lab.shows("serde"));
  EXPECT_EQ(lab.press({Key::escape}), MonitorAnswer::none);  // and never out
  lab.type("/zzz");
  lab.press({Key::escape});
  EXPECT_TRUE(lab.shows("serde"));
}

TEST(MonitorScreenTest, keys_that_leave_and_keys_that_do_not) {
  Lab lab;
  EXPECT_EQ(lab.type("q"), MonitorAnswer::quit);
  EXPECT_EQ(lab.press({Key::quit}), MonitorAnswer::quit);
  EXPECT_EQ(lab.type("c"), MonitorAnswer::clear);
  EXPECT_EQ(lab.type("r"), MonitorAnswer::rescan);
  lab.type("3");
  EXPECT_EQ(lab.type("c"), MonitorAnswer::none);  // events are forgotten where they are seen
  lab.type("f");
  EXPECT_EQ(lab.press({Key::quit}), MonitorAnswer::quit);
  lab.press({Key::escape});
  lab.type("p");
  EXPECT_TRUE(lab.shows("PAUSED"));
  lab.press({Key::tab});
  EXPECT_EQ(lab.screen.tab, 3u);
  lab.press({Key::back_tab});
  lab.press({Key::back_tab});
  EXPECT_EQ(lab.screen.tab, 1u);
}

TEST(MonitorScreenTest, sorting) {
  Lab lab;
  lab.data = data_of({event_of("b", "miss", 5), event_of("a", "miss", 9), event_of("c", "miss", 7)});
  auto order = [&] {
    std::string names;
    for (size_t i : listed_rows(lab.data, kBuildTab, lab.screen.now().order, "")) names += lab.data.events[i].crate_name;
    return names;
  };
  EXPECT_EQ(order(), "cab");
  lab.type("s");
  EXPECT_EQ(order(), "acb");
  lab.type("s");
  EXPECT_EQ(order(), "abc");
}

TEST(MonitorScreenTest, compiles_under_way_have_an_end_in_sight) {
  Lab lab;
  lab.data = data_of({});
  add_heartbeat(lab.data, beat_of("arrow", "/r", kNow - 5 * kSecond, 7, 30, 90));
  add_heartbeat(lab.data, beat_of("other", "/r", kNow, 8, 100, 60));
  add_heartbeat(lab.data, beat_of("fresh", "/r", kNow, 9, 30, 0));
  EXPECT_TRUE(lab.shows("In flight: 3"));
  EXPECT_TRUE(lab.shows("35s  typical 1m30s, ETA 55s"));
  EXPECT_TRUE(lab.shows("late by 40s"));
  EXPECT_TRUE(lab.shows("never compiled before"));
  add_heartbeat(lab.data, beat_of("arrow", "/r", kNow, 7, 35, 90));
  EXPECT_EQ(lab.data.in_flight.size(), 3u);
  BuildEvent end = event_of("arrow", "miss");
  end.root = "/other";
  add_event(lab.data, end);  // of another tree
  EXPECT_EQ(lab.data.in_flight.size(), 3u);
  end.root = "/r";
  add_event(lab.data, end);
  EXPECT_EQ(lab.data.in_flight.size(), 2u);
  drop_silent(lab.data, kNow + 91 * kSecond);
  EXPECT_TRUE(lab.data.in_flight.empty());
}

TEST(MonitorScreenTest, events_are_of_builds) {
  MonitorData data = data_of({});
  auto add = [&](const std::string& session, const std::string& tool, const std::string& root, int64_t at_s) {
    BuildEvent event = event_of("x", "miss");
    event.session_id = session, event.build_tool = tool, event.root = root, event.end_ns = kNow + at_s * kSecond;
    add_event(data, event);
    return data.events.back().build;
  };
  EXPECT_EQ(add("a-1", "cargo", "/p", 0), 1u);
  EXPECT_EQ(add("a-1", "cargo", "/p", 3600), 1u);  // it ends with its cargo
  EXPECT_EQ(add("a-2", "cargo", "/p", 3600), 2u);
  EXPECT_EQ(add("a-3", "bash", "/p", 0), 3u);
  EXPECT_EQ(add("a-3", "bash", "/p", 299), 3u);
  EXPECT_EQ(add("a-3", "bash", "/p", 700), 4u);  // a terminal lives for days
  EXPECT_EQ(add("", "", "/p", 0), 5u);           // lines of old versions
  EXPECT_EQ(add("", "", "/p", 10), 5u);
  EXPECT_EQ(add("", "", "/q", 10), 6u);
  const SeenBuild& first = *build_of(data, data.events.front().build);
  EXPECT_EQ(first.tool, "cargo");
  EXPECT_EQ(first.units, 2u);
  EXPECT_EQ(first.counts.misses, 2u);
  EXPECT_EQ(first.end_ns, kNow + 3600 * kSecond);
  EXPECT_EQ(build_of(data, 0), nullptr);
  EXPECT_EQ(build_of(data, 100), nullptr);
  for (size_t i = 0; i < kMostBuilds + 5; ++i) add("s" + std::to_string(i), "make", "/p", 0);
  EXPECT_EQ(data.builds.size(), kMostBuilds);
  EXPECT_EQ(build_of(data, 1), nullptr);
  EXPECT_EQ(build_of(data, data.events.back().build)->units, 1u);
  EXPECT_EQ(data.newest_of_group.size(), kMostBuilds);
}

// Two builds: `a` of cargo in /work/app, and then `b` of make in /work/lib with one compile under way.
Lab two_builds() {
  Lab lab;
  lab.data = data_of({});
  auto add = [&](const std::string& name, const std::string& result, const std::string& session, const std::string& tool, const std::string& root) {
    BuildEvent event = event_of(name, result, 5, result == "passthrough" ? "unsupported|-E" : "");
    event.session_id = session, event.build_tool = tool, event.root = root;
    event.end_ns = session == "b" ? kNow : kNow - 600 * kSecond;
    event.cache_key = std::string(64, name[0]);
    add_event(lab.data, event);
  };
  add("serde", "local_hit", "a", "cargo", "/work/app");
  add("tokio", "local_hit", "a", "cargo", "/work/app");
  add("zlib.c", "miss", "b", "make", "/work/lib");
  add("crc.c", "passthrough", "b", "make", "/work/lib");
  Heartbeat beat = beat_of("deflate.c", "/work/lib", kNow, 7, 30, 0, "b");
  beat.build_tool = "make";
  add_heartbeat(lab.data, beat);
  return lab;
}

TEST(MonitorScreenTest, one_build_is_chosen_from_a_list) {
  Lab lab = two_builds();
  EXPECT_TRUE(lab.shows("In flight: 1"));
  lab.type("b");
  EXPECT_EQ(lab.line(1), "Began     Tool       Tree                      Units    Hits  Misses  Live  Last");
  EXPECT_EQ(lab.line(2), "all                  all builds");
  EXPECT_EQ(lab.line(3), "latest               whichever is newest");
  EXPECT_EQ(lab.line(4).substr(9), " make       lib                           2    0.0%       1     1    0s");
  EXPECT_EQ(lab.line(5).substr(9), " cargo      app                           2  100.0%       0         10m");
  lab.press({Key::end});
  lab.press({Key::enter});
  EXPECT_EQ(lab.line(1), "cargo of " + lab.line(1).substr(9, 8) + "   Hit rate 100.0% (local 2, miss 0)   Store …");
  EXPECT_TRUE(lab.shows("tokio"));
  EXPECT_FALSE(lab.shows("zlib.c"));
  EXPECT_FALSE(lab.shows("In flight"));
  EXPECT_EQ(lab.line(3), "Hit rate (recent) ██");
  lab.type("5");
  EXPECT_TRUE(lab.shows("Nothing of this build."));
  lab.type("b");
  EXPECT_EQ(lab.screen.builds.cursor, 3u);  // where it was
  lab.press({Key::up});
  lab.press({Key::enter});
  EXPECT_TRUE(lab.shows("crc.c"));
  EXPECT_TRUE(lab.shows("make of "));
  lab.press({Key::escape});
  EXPECT_TRUE(lab.shows("(local 2, miss 1, pass 1)"));
  lab.type("2b");
  EXPECT_EQ(lab.screen.pane, Pane::none);  // directories are of no build
}

TEST(MonitorScreenTest, the_latest_build_is_followed) {
  Lab lab = two_builds();
  lab.type("b");
  lab.press({Key::down});
  lab.press({Key::enter});
  EXPECT_TRUE(lab.shows("zlib.c"));
  EXPECT_TRUE(lab.shows("deflate.c"));
  EXPECT_FALSE(lab.shows("tokio"));
  BuildEvent event = event_of("next", "miss");
  event.session_id = "c", event.build_tool = "ninja", event.end_ns = kNow + kSecond;
  add_event(lab.data, event);
  EXPECT_TRUE(lab.shows("next"));
  EXPECT_TRUE(lab.shows("ninja of "));
  EXPECT_FALSE(lab.shows("zlib.c"));
  EXPECT_EQ(lab.type("c"), MonitorAnswer::clear);
  clear_events(lab.data);
  EXPECT_TRUE(lab.shows("last 24h"));
  lab.type("b");
  EXPECT_TRUE(lab.shows("make"));  // of the compile under way
  EXPECT_FALSE(lab.shows("ninja"));
}

TEST(MonitorScreenTest, a_compile_under_way_ends_with_its_own_build) {
  Lab lab = two_builds();
  BuildEvent other = event_of("deflate.c", "miss");
  other.session_id = "c", other.root = "/work/lib";
  add_event(lab.data, other);
  EXPECT_EQ(lab.data.in_flight.size(), 1u);
  other.session_id = "b";
  add_event(lab.data, other);
  EXPECT_TRUE(lab.data.in_flight.empty());
}

TEST(MonitorScreenTest, the_cursor_stays_with_its_event_while_others_arrive) {
  Lab lab;
  lab.data = data_of({});
  auto add = [&](int i) {
    BuildEvent event = event_of("unit" + std::to_string(i), "miss");
    event.cache_key = "key" + std::to_string(i);
    add_event(lab.data, event);
  };
  for (int i = 0; i < 50; ++i) add(i);
  EXPECT_EQ(lab.line(5).substr(14, 7), "unit49 ");
  for (int i = 0; i < 3; ++i) lab.press({Key::down});
  for (int i = 50; i < 90; ++i) add(i);
  EXPECT_EQ(lab.line(8).substr(14, 7), "unit46 ");  // at the same line of the screen
  EXPECT_EQ(lab.type("w"), MonitorAnswer::explain);
  EXPECT_EQ(lab.screen.asked, "key46");
  lab.press({Key::escape});
  lab.press({Key::down});
  lab.type("w");
  EXPECT_EQ(lab.screen.asked, "key45");
  lab.press({Key::escape});
  lab.type("s");  // another order begins at its top
  lab.type("sss");
  add(90);
  lab.type("w");
  EXPECT_EQ(lab.screen.asked, "key90");  // and there it stays
  lab.press({Key::escape});
  lab.press({Key::click, "", 3, 7});
  add(91);
  lab.type("w");
  EXPECT_EQ(lab.screen.asked, "key88");
  lab.press({Key::escape});
  for (size_t i = 0; i < kMostEvents; ++i) add(100);  // its event is forgotten
  EXPECT_TRUE(lab.shows("unit100"));
}

TEST(MonitorScreenTest, why_is_asked_by_the_key_and_scrolls) {
  Lab lab = two_builds();
  lab.press({Key::down});
  EXPECT_EQ(lab.type("w"), MonitorAnswer::explain);
  EXPECT_EQ(lab.screen.asked, std::string(64, 'z'));
  EXPECT_EQ(lab.line(1), "Looking…");
  std::string text = "Why zlib.c missed:\n";
  for (int i = 0; i < 40; ++i) text += "  line " + std::to_string(i) + "\n";
  lab.data.explained = {std::string(64, 'x'), "of another", true};
  EXPECT_EQ(lab.line(1), "Looking…");
  lab.data.explained = {lab.screen.asked, text, true};
  EXPECT_EQ(lab.line(1), "Why zlib.c missed:");
  EXPECT_EQ(lab.line(22), "  line 20");
  EXPECT_EQ(lab.line(23), "Up Down PgUp PgDn scroll  Esc back" + std::string(36, ' ') + "1-22 of 41");
  lab.press({Key::down});
  EXPECT_EQ(lab.line(1), "  line 0");
  lab.press({Key::end});
  EXPECT_EQ(lab.line(22), "  line 39");
  lab.press({Key::up});
  EXPECT_EQ(lab.line(22), "  line 38");
  lab.press({Key::wheel_up, "", 3, 3});
  EXPECT_EQ(lab.line(22), "  line 35");
  lab.press({Key::page_up});
  lab.press({Key::page_up});
  EXPECT_EQ(lab.line(1), "Why zlib.c missed:");
  lab.press({Key::escape});
  EXPECT_TRUE(lab.shows("tokio"));
  EXPECT_EQ(lab.screen.now().place.cursor, 1u);
  lab.type("3");
  EXPECT_EQ(lab.type("w"), MonitorAnswer::none);
  lab.type("1fnothing");
  lab.press({Key::enter});
  EXPECT_EQ(lab.type("w"), MonitorAnswer::none);  // there is no row
}

TEST(MonitorScreenTest, the_mouse_does_what_keys_do) {
  Lab lab;
  lab.data = data_of({});
  for (int i = 0; i < 100; ++i) add_event(lab.data, event_of("unit" + std::to_string(i), "miss"));
  auto click = [&](int x, int y) { return lab.press({Key::click, "", x, y}); };
  click(40, 0);
  EXPECT_EQ(lab.screen.tab, kTransferTab);
  click(5, 0);  // the name of the program
  EXPECT_EQ(lab.screen.tab, kTransferTab);
  click(9, 0);
  EXPECT_EQ(lab.screen.tab, kBuildTab);
  click(3, 7);
  EXPECT_EQ(lab.screen.now().place.cursor, 2u);
  EXPECT_FALSE(lab.shows("compiler runs"));
  click(3, 7);  // again
  EXPECT_TRUE(lab.shows("compiler runs"));
  click(3, 20);  // in the details
  EXPECT_EQ(lab.screen.now().place.cursor, 2u);
  lab.press({Key::wheel_down, "", 3, 10});
  EXPECT_EQ(lab.screen.now().place.top, 3u);
  EXPECT_EQ(lab.screen.now().place.cursor, 3u);
  for (int i = 0; i < 100; ++i) lab.press({Key::wheel_down, "", 3, 10});
  EXPECT_TRUE(lab.shows("unit0 "));
  for (int i = 0; i < 100; ++i) lab.press({Key::wheel_up, "", 3, 10});
  EXPECT_TRUE(lab.shows("unit99 "));
  click(3, 4);  // the titles
  EXPECT_TRUE(lab.shows("sort: slowest"));
  lab.type("b");
  click(3, 3);
  EXPECT_EQ(lab.screen.build.kind, BuildChoice::latest);
  EXPECT_EQ(lab.screen.pane, Pane::none);
  lab.type("b");
  click(3, 20);  // below the last
  EXPECT_EQ(lab.screen.pane, Pane::builds);
  click(25, 0);
  EXPECT_EQ(lab.screen.pane, Pane::none);
  EXPECT_EQ(lab.screen.tab, kProjectsTab);
  click(3, 7);  // nothing is there
  lab.type("m");
  EXPECT_FALSE(lab.screen.has_mouse);
  EXPECT_TRUE(lab.shows("mouse off"));
  lab.width = 40;
  click(9, 0);  // "3" is there now
  EXPECT_EQ(lab.screen.tab, lab.line(0).find("3 ") == std::string::npos ? kTabs : kProjectsTab);
}

TEST(MonitorScreenTest, the_sparkline_keeps_the_newest_and_counts_only_what_could_hit) {
  std::deque<SeenEvent> events;
  for (int i = 0; i < 30; ++i) events.push_back({event_of("x", "miss")});
  for (int i = 0; i < 10; ++i) events.push_back({event_of("x", "passthrough")});
  for (int i = 0; i < 10; ++i) events.push_back({event_of("x", "local_hit")});
  EXPECT_EQ(sparkline(events, 4), "▁▁▁█");
  EXPECT_EQ(sparkline(events, 0), "");
  EXPECT_EQ(sparkline({}, 10), "");
}

TEST(MonitorScreenTest, questions_are_no_events_and_there_are_not_too_many) {
  MonitorData data = data_of({event_of("___", "passthrough"), event_of("", "passthrough")});
  EXPECT_TRUE(data.events.empty());
  for (size_t i = 0; i < kMostEvents + 10; ++i) add_event(data, event_of("x", "miss"));
  EXPECT_EQ(data.events.size(), kMostEvents);
  EXPECT_EQ(data.counts.misses, kMostEvents + 10);
  clear_events(data);
  EXPECT_TRUE(data.events.empty());
  EXPECT_EQ(data.counts.total(), 0u);
}

}  // namespace
}  // namespace kache
