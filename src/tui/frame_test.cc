#include "tui/frame.h"

#include <gtest/gtest.h>

#include "tui/list.h"

namespace kache {
namespace {

TEST(FrameTest, text_is_cut_at_every_edge) {
  Frame frame(5, 2);
  EXPECT_EQ(frame.put(3, 0, "abc"), 6);
  frame.put(-2, 1, "xyz");
  frame.put(0, 7, "below");
  frame.put(0, -1, "above");
  EXPECT_EQ(frame.text(), "   ab\nz\n");
  EXPECT_EQ(Frame(0, 0).text(), "");
  EXPECT_EQ(Frame(-3, -3).width(), 0);
}

TEST(FrameTest, wide_and_combining_characters_take_their_room) {
  Frame frame(6, 1);
  frame.put(0, 0, "日本x");
  EXPECT_EQ(frame.line(0), "日本x");
  EXPECT_EQ(frame.at(1, 0).text, "");
  EXPECT_EQ(frame.at(4, 0).text, "x");
  frame = Frame(3, 1);
  EXPECT_EQ(frame.put(0, 0, "e\u0301日"), 3);
  EXPECT_EQ(frame.at(0, 0).text, "e\u0301");
  // Half of a wide one is not shown.
  frame = Frame(2, 1);
  frame.put(0, 0, "a日");
  EXPECT_EQ(frame.line(0), "a");
  EXPECT_EQ(display_width("日本x"), 5);
}

TEST(FrameTest, nothing_in_a_name_reaches_the_terminal_as_a_command) {
  Frame frame(20, 1);
  frame.put(0, 0, "a\x1b[2Jb\n\x7f\xff\xc2\x9b\u202e.");
  EXPECT_EQ(frame.line(0), "a?[2Jb?????.");
}

TEST(FrameTest, what_is_cut_says_so) {
  EXPECT_EQ(cut_to_width("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to_width("abcdef", 4), "abc…");
  EXPECT_EQ(cut_to_width("abcdef", 4, true), "…def");
  EXPECT_EQ(cut_to_width("日本語", 4), "日…");
  EXPECT_EQ(cut_to_width("abc", 0), "");
  EXPECT_EQ(cut_to_width("abc", -1), "");
}

TEST(FrameTest, without_utf8_our_signs_have_something_like_them) {
  Frame frame(8, 1);
  frame.put(0, 0, "✓─…é日x");
  EXPECT_EQ(to_ascii(frame).line(0), "+-~???x");
}

TEST(ListTest, the_cursor_never_leaves_the_list_or_the_window) {
  ListPlace place;
  for (Key::Code code : {Key::down, Key::down, Key::page_down, Key::end, Key::down, Key::up, Key::page_up, Key::home, Key::up}) {
    EXPECT_TRUE(place.move({code}, 10, 3));
    EXPECT_LT(place.cursor, 10u);
    EXPECT_LE(place.top, place.cursor);
    EXPECT_LT(place.cursor, place.top + 3);
  }
  EXPECT_FALSE(place.move({Key::enter}, 10, 3));
  place.move({Key::end}, 10, 3);
  EXPECT_EQ(place.top, 7u);
  place.settle(10, 100);  // the window has grown
  EXPECT_EQ(place.top, 0u);
  place.settle(2, 1);  // the list has shrunk
  EXPECT_EQ(place.cursor, 1u);
  EXPECT_EQ(place.top, 1u);
  place.settle(0, 0);
  EXPECT_EQ(place.cursor, 0u);
  EXPECT_TRUE(place.move({Key::down}, 0, 0));
}

TEST(ListTest, columns_of_little_worth_go_first) {
  std::vector<Column> columns = {{"a", 5}, {"b", 10, false, true}, {"c", 5, true, false, 2}, {"d", 5, true, false, 1}};
  EXPECT_EQ(fit_columns(columns, 60), (std::vector<int>{5, 39, 5, 5}));
  EXPECT_EQ(fit_columns(columns, 25), (std::vector<int>{5, 11, 5, 0}));
  EXPECT_EQ(fit_columns(columns, 18), (std::vector<int>{5, 11, 0, 0}));
  EXPECT_EQ(fit_columns(columns, 10), (std::vector<int>{5, 3, 0, 0}));
  EXPECT_EQ(fit_columns(columns, 0), (std::vector<int>{5, 1, 0, 0}));
}

}  // namespace
}  // namespace kache
