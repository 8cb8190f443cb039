#include "base/duration.h"

#include <string>

#include <gtest/gtest.h>

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000, kHour = 3600 * kSecond;

TEST(Duration, as_people_write_it) {
  const std::pair<const char*, int64_t> rows[] = {
      {"24", 24 * kHour}, {"0", 0}, {"45s", 45 * kSecond}, {"30m", 1800 * kSecond}, {"24h", 24 * kHour}, {"7d", 168 * kHour},
      {"2w", 336 * kHour}, {"2 weeks", 336 * kHour}, {"1.5h", 5400 * kSecond}, {"1h30m", 5400 * kSecond}, {"1h 30min", 5400 * kSecond},
      {"250ms", kSecond / 4}, {"7D", 168 * kHour}, {"4m20s", 260 * kSecond}, {"0.5", kHour / 2},
  };
  for (const auto& [text, expected] : rows) {
    Result<int64_t> span = parse_duration(text, kHour);
    ASSERT_TRUE(span.ok()) << text;
    EXPECT_EQ(*span, expected) << text;
  }
  EXPECT_EQ(parse_duration("90", kSecond).value(), 90 * kSecond);
}

TEST(Duration, what_is_none) {
  for (std::string bad : {"", "h", "-1h", "5x", "1h30", "0h30", "1..5h", "1.h", " 1h", "1e3s", "999999999999999999999s", "300 years", "99999999w"}) {
    EXPECT_FALSE(parse_duration(bad, kHour).ok()) << bad;
  }
}

}  // namespace
}  // namespace kache
