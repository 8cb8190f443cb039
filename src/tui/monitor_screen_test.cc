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

  MonitorAnswer press(const Key& key) { return kache::press(screen, data, key, height); }
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
  EXPECT_EQ(lab.line(23), "f filter  s sort: newest  Enter details  p pause  ? help  q quit");
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
  for (uint64_t pid = 0; pid < 10; ++pid) add_heartbeat(lab.data, {"slow" + std::to_string(pid), "", kNow, pid, 60, 90});
  for (lab.width = 0; lab.width < 200; lab.width += 13) {
    for (lab.height = 0; lab.height < 60; lab.height += 3) {
      for (size_t tab = 0; tab < kTabs; ++tab) {
        lab.type(std::to_string(tab + 1));
        for (const Key& key : {Key{Key::end}, Key{Key::enter}, Key{Key::page_up}, Key{Key::text, "s"}, Key{Key::text, "?"}, Key{Key::text, "?"}}) {
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
  add_heartbeat(lab.data, {"arrow", "/r", kNow - 5 * kSecond, 7, 30, 90});
  add_heartbeat(lab.data, {"other", "/r", kNow, 8, 100, 60});
  add_heartbeat(lab.data, {"fresh", "/r", kNow, 9, 30, 0});
  EXPECT_TRUE(lab.shows("In flight: 3"));
  EXPECT_TRUE(lab.shows("35s  typical 1m30s, ETA 55s"));
  EXPECT_TRUE(lab.shows("late by 40s"));
  EXPECT_TRUE(lab.shows("never compiled before"));
  add_heartbeat(lab.data, {"arrow", "/r", kNow, 7, 35, 90});
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

TEST(MonitorScreenTest, the_sparkline_keeps_the_newest_and_counts_only_what_could_hit) {
  std::deque<BuildEvent> events;
  for (int i = 0; i < 30; ++i) events.push_back(event_of("x", "miss"));
  for (int i = 0; i < 10; ++i) events.push_back(event_of("x", "passthrough"));
  for (int i = 0; i < 10; ++i) events.push_back(event_of("x", "local_hit"));
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
