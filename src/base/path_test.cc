#include "base/path.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

TEST(Path, tidies_dots_and_slashes_but_keeps_dotdot) {
  EXPECT_EQ(tidy_path("./a//b/./c/"), "a/b/c");
  EXPECT_EQ(tidy_path("/"), "/");
  EXPECT_EQ(tidy_path("//a"), "/a");
  EXPECT_EQ(tidy_path("a/../b"), "a/../b");
  EXPECT_EQ(tidy_path("."), ".");
  EXPECT_EQ(tidy_path("a/."), "a");
}

TEST(Path, below_means_on_component_boundaries) {
  EXPECT_TRUE(is_below("/home/u/x", "/home/u"));
  EXPECT_TRUE(is_below("/home/u", "/home/u"));
  EXPECT_FALSE(is_below("/home/usr", "/home/u"));
  EXPECT_TRUE(is_below("/x", "/"));
  EXPECT_FALSE(is_below("/x", ""));
  EXPECT_EQ(relative_to("/home/u/x/y", "/home/u"), "x/y");
  EXPECT_EQ(relative_to("/x", "/"), "x");
}

TEST(Path, splits_and_joins) {
  EXPECT_EQ(base_name("/a/b"), "b");
  EXPECT_EQ(dir_name("/a/b"), "/a");
  EXPECT_EQ(dir_name("/a"), "/");
  EXPECT_EQ(dir_name("a"), "");
  EXPECT_EQ(absolute_path("/w", "./x/../y"), "/w/x/../y");
  EXPECT_EQ(absolute_path("/w", "/z"), "/z");
}

}  // namespace
}  // namespace kache
