#include "base/nearest.h"

#include <string>

#include <gtest/gtest.h>

namespace kache {
namespace {

TEST(Nearest, slips_of_the_keyboard) {
  const std::vector<std::string_view> known = {"stats", "list", "report", "install-shims", "gc"};
  for (const char* slip : {"stat", "statz", "tsats", "sttas"}) EXPECT_EQ(nearest_word(slip, known), "stats") << slip;
  EXPECT_EQ(nearest_word("lsit", known), "list");
  EXPECT_EQ(nearest_word("install", known), "install-shims");  // the beginning of one
  for (const char* other : {"", "x", "ld", "nonsense", "s"}) EXPECT_EQ(nearest_word(other, known), "") << other;
  EXPECT_EQ(nearest_word(std::string(100'000, 's'), known), "");
}

TEST(Nearest, a_beginning_of_two_words_names_neither) {
  EXPECT_EQ(nearest_word("re", {"report", "restore"}), "");
  EXPECT_EQ(nearest_word("rep", {"report", "restore"}), "report");
}

}  // namespace
}  // namespace kache
