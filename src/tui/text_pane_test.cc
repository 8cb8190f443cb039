#include "tui/text_pane.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

using Lines = std::vector<std::string>;

TEST(TextPaneTest, LinesAreWrappedAtBlanksAndStandFurtherIn) {
  EXPECT_EQ(wrapped("one two three\n\nfour", 20), (Lines{"one two three", "", "four"}));
  EXPECT_EQ(wrapped("one two three", 8), (Lines{"one two", "  three"}));
  EXPECT_EQ(wrapped("  file one two three", 11), (Lines{"  file one", "    two", "    three"}));
  EXPECT_EQ(wrapped("abcdefghij", 4), (Lines{"abcd", "efgh", "ij"}));
  EXPECT_EQ(wrapped("", 4), Lines{});
}

TEST(TextPaneTest, NoCharacterIsCutApart) {
  EXPECT_EQ(wrapped("ööö", 2), (Lines{"öö", "ö"}));
  EXPECT_EQ(wrapped("日本", 1), (Lines{"日", "本"}));
  for (int width = -1; width < 30; ++width) {
    for (const char* text : {"   ", "a", " a b", "\xff\xfe\x80", "      deep", "x      y"}) {
      for (const std::string& line : wrapped(text, width)) EXPECT_LE(display_width(line), std::max(width, 2)) << text << width;
    }
  }
}

TEST(TextPaneTest, MovesNoFurtherThanItsText) {
  TextPane pane;
  pane.move({Key::down}, 3, 10);
  EXPECT_EQ(pane.top, 0u);
  pane.move({Key::wheel_down}, 30, 10);
  EXPECT_EQ(pane.top, 3u);
  pane.move({Key::page_down}, 30, 10);
  EXPECT_EQ(pane.top, 13u);
  pane.move({Key::end}, 30, 10);
  EXPECT_EQ(pane.top, 20u);
  pane.move({Key::wheel_down}, 30, 10);
  EXPECT_EQ(pane.top, 20u);
  pane.move({Key::wheel_up}, 30, 10);
  EXPECT_EQ(pane.top, 17u);
  pane.move({Key::home}, 30, 10);
  EXPECT_EQ(pane.top, 0u);
  EXPECT_FALSE(pane.move({Key::enter}, 30, 10));
  Frame frame(10, 4);
  EXPECT_EQ(put_text(frame, 1, 3, {.top = 99}, {"a", "b", "c"}), "2-3 of 3");
  EXPECT_EQ(frame.text(), "\nb\nc\n\n");
}

}  // namespace
}  // namespace kache
