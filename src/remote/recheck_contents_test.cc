#include "remote/recheck_contents.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

TEST(RecheckContentsTest, what_only_one_has_or_has_differently_is_unequal) {
  Contents a = {{"same", digest_bytes("1")}, {"other", digest_bytes("2")}, {"only a", digest_bytes("3")}};
  Contents b = {{"same", digest_bytes("1")}, {"other", digest_bytes("4")}, {"only b", digest_bytes("5")}};
  EXPECT_EQ(unequal(a, b), (std::vector<std::string>{"only a", "other", "only b"}));
  EXPECT_TRUE(unequal(a, a).empty());
}

TEST(RecheckContentsTest, a_text_is_moved_back_to_where_the_user_would_have_it) {
  EXPECT_EQ(moved_back("/our/x/a.o: a.c /our/x\n", {{"out", "/our/x"}}), "out/a.o: a.c out\n");
  EXPECT_EQ(moved_back("/our/x/a.o: a.c\n", {{"", "/our/x"}}), "a.o: a.c\n");
}

TEST(RecheckContentsTest, paths_that_compilers_quote_are_known) {
  EXPECT_TRUE(is_unquoted("/home/a-b_c+d,e=f@g~1.2"));
  for (const char* path : {"/a b", "/a$b", "/a#b", "/a\\b", "/a:b", "/\xc3\xa4"}) EXPECT_FALSE(is_unquoted(path)) << path;
}

}  // namespace
}  // namespace kache
