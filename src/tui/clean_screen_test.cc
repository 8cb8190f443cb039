#include "tui/clean_screen.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

constexpr int64_t kDay = int64_t{86400} * 1'000'000'000;

CleanScreen screen_of(size_t count) {
  std::vector<BuildDir> dirs;
  for (size_t i = 0; i < count; ++i) {
    BuildDir dir;
    dir.path = "/work/p" + std::to_string(i) + "/target";
    dir.ino = i + 1;
    dir.total = (count - i) * 1024;
    dir.frees = 512;
    dir.parts[static_cast<size_t>(Part::deps)] = dir.total;
    dir.newest_ns = 100 * kDay - static_cast<int64_t>(i) * kDay;
    dir.labels = {"debug"};
    dirs.push_back(dir);
  }
  return CleanScreen(dirs, "/work", 100 * kDay);
}

CleanAnswer type(CleanScreen& screen, const std::string& text, int height = 24) {
  CleanAnswer answer = CleanAnswer::none;
  for (char c : text) answer = press(screen, {Key::text, std::string(1, c)}, height);
  return answer;
}

TEST(CleanScreenTest, a_screen_of_80_by_24) {
  CleanScreen screen = screen_of(2);
  screen.dirs[1].obstacle = "sources are in it: .git";
  screen.dirs[1].path = "/elsewhere/target";
  type(screen, " ");
  Frame frame = draw(screen, 80, 24);
  EXPECT_EQ(frame.line(0), "2 dirs (3.0 KiB total, 0 B cached)    Selected: 1 (est. 512 B)");
  EXPECT_EQ(frame.line(1), "     Directory                   Kind         Size      Cached       Frees   Age");
  EXPECT_EQ(frame.line(2), "[x]  p0/target                   cargo     2.0 KiB         0 B       512 B    0s");
  EXPECT_EQ(frame.line(3), "[-]  /elsewhere/target           cargo       stays");
  EXPECT_TRUE(frame.at(0, 3).is_reversed);
  EXPECT_EQ(frame.at(5, 2).style, Style::bad);
  EXPECT_EQ(frame.line(19), "/elsewhere/target");
  EXPECT_EQ(frame.line(20), "stays: sources are in it: .git");
  EXPECT_EQ(frame.line(23), "Space choose  a all  n none  s sort: size  Enter remove  q cancel");
}

TEST(CleanScreenTest, every_size_shows_the_cursor_and_breaks_nothing) {
  for (int width : {0, 1, 20, 40, 80, 300}) {
    for (int height : {0, 1, 2, 3, 5, 10, 13, 24, 100}) {
      CleanScreen screen = screen_of(50);
      for (Key::Code code : {Key::end, Key::up, Key::page_up, Key::down}) press(screen, {code}, height);
      Frame frame = draw(screen, width, height);
      if (height < 4 || width < 30) continue;
      EXPECT_NE(frame.text().find(screen.dirs[screen.place.cursor].path.substr(6)), std::string::npos) << width << "x" << height;
    }
  }
}

TEST(CleanScreenTest, nothing_is_removed_without_a_yes) {
  CleanScreen screen = screen_of(3);
  EXPECT_EQ(press(screen, {Key::enter}, 24), CleanAnswer::none);
  EXPECT_FALSE(screen.is_asking);  // nothing is chosen
  type(screen, "a");
  press(screen, {Key::enter}, 24);
  EXPECT_EQ(draw(screen, 80, 24).line(23), "Remove 3 directories, about 1.5 KiB? (y/n)");
  press(screen, {Key::none}, 24);  // time passes
  EXPECT_TRUE(screen.is_asking);
  press(screen, {Key::enter}, 24);  // Enter twice is no yes
  EXPECT_FALSE(screen.is_asking);
  press(screen, {Key::enter}, 24);
  EXPECT_EQ(press(screen, {Key::quit}, 24), CleanAnswer::cancel);
  EXPECT_EQ(type(screen, "y"), CleanAnswer::remove);
}

TEST(CleanScreenTest, what_is_chosen_stays_chosen_in_another_order) {
  CleanScreen screen = screen_of(3);
  type(screen, " ");
  EXPECT_EQ(screen.place.cursor, 1u);  // it goes on by one
  std::string chosen = screen.dirs[0].path;
  for (const char* first : {"p0", "p2", "p0"}) {  // path, age, size
    type(screen, "s");
    EXPECT_NE(screen.dirs[0].path.find(first), std::string::npos);
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(screen.chosen[i], screen.dirs[i].path == chosen);
  }
}

TEST(CleanScreenTest, what_stays_can_not_be_chosen) {
  CleanScreen screen = screen_of(2);
  screen.dirs[0].obstacle = "sources";
  type(screen, " ");
  EXPECT_FALSE(screen.chosen[0]);
  type(screen, "a");
  EXPECT_FALSE(screen.chosen[0]);
  EXPECT_TRUE(screen.chosen[1]);
}

}  // namespace
}  // namespace kache
