#include "base/clock.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(FormatTime, IsTheDateInUtcWithMicroseconds) {
  EXPECT_EQ(format_time(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(format_time(951'782'399 * kSecond + 999'999'999), "2000-02-28T23:59:59.999999Z");
  EXPECT_EQ(format_time(951'782'400 * kSecond), "2000-02-29T00:00:00.000000Z");
  EXPECT_EQ(format_time(INT64_MIN), "1677-09-22T00:12:43.145224Z");
  EXPECT_EQ(format_time(INT64_MAX), "2262-04-11T23:47:16.854775Z");
  EXPECT_EQ(format_time(1'800'000'000 * kSecond + 5'000), "2027-01-15T08:00:00.000005Z");
}

}  // namespace
}  // namespace kache
