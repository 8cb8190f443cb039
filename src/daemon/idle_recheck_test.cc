#include "daemon/idle_recheck.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

TEST(IdleRecheck, AMachineIsIdleBelowAQuarterOfItsProcessors) {
  EXPECT_TRUE(is_idle_load(0.2, 2, "", 0));
  EXPECT_FALSE(is_idle_load(0.6, 2, "", 0));
  EXPECT_TRUE(is_idle_load(0.6, 2, "", 1));  // most of it is our own compiler
  EXPECT_FALSE(is_idle_load(1.6, 2, "", 1));
  EXPECT_TRUE(is_idle_load(3, 16, "", 0));
  EXPECT_TRUE(is_idle_load(0.1, 0, "", 0));  // where nobody knows how many there are
  EXPECT_FALSE(is_idle_load(0, 2, "0", 0));
  EXPECT_TRUE(is_idle_load(50, 2, "100", 0));
  EXPECT_TRUE(is_idle_load(0.2, 2, "many", 0));  // no number: as if it were not set
}

}  // namespace
}  // namespace kache
