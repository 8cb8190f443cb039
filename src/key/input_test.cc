#include "key/input.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

TEST(ShownValue, IsTheValueWhereItIsHarmless) {
  Roots roots({});
  EXPECT_EQ(shown_value(roots, "OPT_LEVEL", "3"), "3");
  EXPECT_EQ(shown_value(roots, "CARGO_PKG_DESCRIPTION", "A small tool, for files."), "A small tool, for files.");
}

TEST(ShownValue, IsNothingWhereItMayBeASecret) {
  Roots roots({});
  EXPECT_EQ(shown_value(roots, "API_TOKEN", "x"), "");
  EXPECT_EQ(shown_value(roots, "aws_secret_access_id", "x"), "");
  EXPECT_EQ(shown_value(roots, "DATABASE", "postgres://me:word@host/db"), "");
  EXPECT_EQ(shown_value(roots, "HARMLESS", "ghp4f7Kq9ZbX2mN8vR1tY6uW3eQ5s"), "");
  EXPECT_EQ(shown_value(roots, "HARMLESS", std::string(201, 'a')), "");
  EXPECT_EQ(shown_value(roots, "HARMLESS", "line\nbreak"), "");
}

}  // namespace
}  // namespace kache
