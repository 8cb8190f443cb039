#include "tui/mouse.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

TEST(MouseTest, TheLeftButtonAndTheWheel) {
  Key click = parse_mouse("0;12;5M");
  EXPECT_EQ(click.code, Key::click);
  EXPECT_EQ(click.x, 11);
  EXPECT_EQ(click.y, 4);
  EXPECT_EQ(parse_mouse("16;1;1M").code, Key::click);  // with Ctrl
  EXPECT_EQ(parse_mouse("64;1;1M").code, Key::wheel_up);
  EXPECT_EQ(parse_mouse("65;300;200M").code, Key::wheel_down);
  EXPECT_EQ(parse_mouse("65;300;200M").x, 299);
}

TEST(MouseTest, NothingElse) {
  for (const char* report : {"", "0", "0;1", "0;1;1", "0;1;1m", "1;1;1M", "2;1;1M", "32;1;1M", "66;1;1M", "0;0;1M", "0;1;0M", "-1;1;1M",
                             "0;1;1M1", "0;99999;1M", "0;99999999999999999999;1M", ";;M", "0;-1;1M", " 0;1;1M", "0;1;1Mx"}) {
    EXPECT_EQ(parse_mouse(report).code, Key::none) << report;
  }
}

TEST(MouseTest, ThreeBytesOfOldTerminals) {
  Key click = parse_old_mouse(32, 33 + 4, 33 + 2);
  EXPECT_EQ(click.code, Key::click);
  EXPECT_EQ(click.x, 4);
  EXPECT_EQ(click.y, 2);
  EXPECT_EQ(parse_old_mouse(32 + 64, 33, 33).code, Key::wheel_up);
  EXPECT_EQ(parse_old_mouse(32 + 3, 33, 33).code, Key::none);  // a release
  EXPECT_EQ(parse_old_mouse(0, 33, 33).code, Key::none);
  EXPECT_EQ(parse_old_mouse(32, 0, 0).code, Key::none);
}

}  // namespace
}  // namespace kache
