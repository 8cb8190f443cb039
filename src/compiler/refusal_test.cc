#include "compiler/refusal.h"

#include <gtest/gtest.h>

#include <set>

namespace kache {
namespace {

TEST(Refusal, table_is_complete_in_order_and_without_repeats) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Refusal::store_unavailable); ++i) {
    const RefusalInfo& info = describe(static_cast<Refusal>(i));
    EXPECT_EQ(static_cast<int>(info.refusal), i);
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    if (i > 0) {
      EXPECT_FALSE(info.sentence.empty());
    }
  }
}

TEST(Refusal, reason_reads_category_sentence_detail) {
  EXPECT_EQ((Refused{Refusal::bypass_crate, "sqlx"}).reason(), "policy|bypass rule: crate: sqlx");
  EXPECT_EQ((Refused{Refusal::not_a_compile, ""}).reason(), "not-a-compile|the compiler is asked a question");
}

}  // namespace
}  // namespace kache
