#include "base/glob.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

TEST(Glob, stars_stay_in_a_component_and_double_stars_do_not) {
  EXPECT_TRUE(glob_match("*.rs", "lib.rs"));
  EXPECT_FALSE(glob_match("*.rs", "src/lib.rs"));
  EXPECT_TRUE(glob_match("**/*.rs", "src/deep/lib.rs"));
  EXPECT_TRUE(glob_match("**/*.rs", "lib.rs"));
  EXPECT_TRUE(glob_match("src/**", "src/a/b"));
  EXPECT_FALSE(glob_match("src/**", "source/a"));
  EXPECT_TRUE(glob_match("a/**/z", "a/b/c/z"));
  EXPECT_TRUE(glob_match("*a*a*b", "aXaYab"));
}

TEST(Glob, sets_single_characters_and_alternatives) {
  EXPECT_TRUE(glob_match("file?.[a-c]xt", "file1.bxt"));
  EXPECT_FALSE(glob_match("file?.[!a-c]xt", "file1.bxt"));
  EXPECT_FALSE(glob_match("a?b", "a/b"));
  EXPECT_TRUE(glob_match("x.{toml,json}", "x.json"));
  EXPECT_FALSE(glob_match("x.{toml,json}", "x.yaml"));
  EXPECT_FALSE(glob_match("[", "x"));
}

}  // namespace
}  // namespace kache
