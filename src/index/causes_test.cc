#include "index/causes.h"

#include <gtest/gtest.h>

#include "wrapper/difference.h"

namespace kache {
namespace {

TEST(CausesTest, EveryDifferenceOfTheWrapperHasACauseOfItsOwn) {
  std::vector<std::string> whys;
  for (int kind = Difference::file; kind <= Difference::times; ++kind) {
    BuildEvent event;
    event.crate_name = "unit";
    event.result = "miss";
    event.miss_reasons = {describe({static_cast<Difference::Kind>(kind), "what"}), "file other"};
    Cause cause = cause_of(event);
    EXPECT_EQ(cause.what, "what");
    EXPECT_NE(cause.why, "changed");
    EXPECT_EQ(std::count(whys.begin(), whys.end(), cause.why), 0) << cause.why;
    whys.push_back(cause.why);
  }
}

TEST(CausesTest, OtherWordsAreShownAsTheyAre) {
  BuildEvent event;
  event.result = "miss";
  event.miss_reasons = {"the moon"};
  EXPECT_EQ(cause_of(event).why, "changed");
  EXPECT_EQ(cause_of(event).what, "the moon");
}

}  // namespace
}  // namespace kache
