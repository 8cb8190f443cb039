#include "daemon/session_units.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// A unit that ended so many ms after the beginning and took `took_ms` of them.
BuildEvent event(const std::string& name, const std::string& result, int64_t ended_ms, uint64_t took_ms = 0) {
  BuildEvent made;
  made.crate_name = name;
  made.result = result;
  made.cache_key = digest_bytes("action of " + name).hex();
  made.invocation_key = digest_bytes("invocation of " + name).hex();
  made.end_ns = 1'800'000'000 * kSecond + ended_ms * 1'000'000;
  made.elapsed_ms = took_ms;
  return made;
}

std::vector<std::string> names_of(const std::vector<SessionUnit>& units) {
  std::vector<std::string> names;
  for (const SessionUnit& unit : units) names.push_back(unit.crate_name);
  return names;
}
using Names = std::vector<std::string>;

TEST(SessionUnitsTest, stand_in_the_order_in_which_they_were_asked_for) {
  // The log has them as they ended.
  std::vector<SessionUnit> units = session_units({event("quick", "local_hit", 1000, 10), event("late", "miss", 2000, 100), event("slow", "miss", 3000, 3000)});
  EXPECT_EQ(names_of(units), (Names{"slow", "quick", "late"}));
  EXPECT_EQ(units[0].offset_ms, 0u);
  EXPECT_EQ(units[1].offset_ms, 990u);
  EXPECT_EQ(units[2].offset_ms, 1900u);
}

TEST(SessionUnitsTest, keep_the_order_of_the_log_where_they_began_together) {
  EXPECT_EQ(names_of(session_units({event("b", "miss", 500, 500), event("a", "miss", 700, 700), event("c", "miss", 600, 600)})), (Names{"b", "a", "c"}));
}

TEST(SessionUnitsTest, say_what_they_are_and_what_they_cost) {
  BuildEvent one = event("one", "miss", 100, 100);
  one.compile_time_ms = 90;
  one.size = 12'345;
  std::vector<SessionUnit> units = session_units({one});
  ASSERT_EQ(units.size(), 1u);
  EXPECT_EQ(units[0].action.digest, digest_bytes("action of one"));
  EXPECT_EQ(units[0].invocation.digest, digest_bytes("invocation of one"));
  EXPECT_EQ(units[0].compile_ms, 90u);
  EXPECT_EQ(units[0].size, 12'345u);
}

TEST(SessionUnitsTest, are_what_has_a_result) {
  std::vector<BuildEvent> events;
  int64_t at = 0;
  for (const char* result : {"local_hit", "prefetch_hit", "remote_hit", "miss", "dup", "error", "passthrough", "skipped", ""}) events.push_back(event(result, result, ++at));
  EXPECT_EQ(names_of(session_units(events)), (Names{"local_hit", "prefetch_hit", "remote_hit", "miss", "dup"}));
}

TEST(SessionUnitsTest, need_both_keys) {
  BuildEvent no_action = event("a", "miss", 1), no_invocation = event("b", "miss", 2), torn = event("c", "miss", 3), long_one = event("d", "miss", 4);
  no_action.cache_key.clear();
  no_invocation.invocation_key.clear();
  torn.cache_key.pop_back();
  long_one.invocation_key += "00";
  EXPECT_EQ(names_of(session_units({no_action, no_invocation, torn, long_one, event("good", "miss", 5)})), (Names{"good"}));
  EXPECT_TRUE(session_units({}).empty());
}

TEST(SessionUnitsTest, come_once_however_often_they_were_asked_for) {
  std::vector<SessionUnit> units = session_units({event("one", "miss", 100), event("two", "miss", 200), event("one", "local_hit", 900)});
  EXPECT_EQ(names_of(units), (Names{"one", "two"}));
  EXPECT_EQ(units[0].offset_ms, 0u);
  // Another result of the same command line is another unit.
  BuildEvent again = event("one", "miss", 300);
  again.cache_key = digest_bytes("another").hex();
  EXPECT_EQ(session_units({event("one", "miss", 100), again}).size(), 2u);
}

TEST(SessionUnitsTest, stay_within_bounds_when_the_clock_was_set_in_between) {
  std::vector<SessionUnit> units = session_units({event("before", "miss", 0), event("after", "miss", int64_t{100} * 365 * 24 * 3600 * 1000)});
  EXPECT_EQ(names_of(units), (Names{"before", "after"}));
  EXPECT_EQ(units[1].offset_ms, UINT32_MAX);
}

}  // namespace
}  // namespace kache
