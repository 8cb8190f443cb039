#include "index/line_tail.h"

#include <gtest/gtest.h>

#include "config/config.h"
#include "tests/support/mem_file_system.h"
#include "wrapper/event_log.h"

namespace kache {
namespace {

using Lines = std::vector<std::string>;
const std::string kLog = "/events.jsonl";

struct TailLab {
  ManualClock clock;
  MemFileSystem disk{clock};
  LineTail tail{disk, kLog};

  void append(const std::string& text) { ASSERT_TRUE(disk.append(kLog, text).ok()); }
  Lines poll() { return tail.poll().value(); }
};

TEST(LineTailTest, what_is_appended_comes_once) {
  TailLab lab;
  EXPECT_EQ(lab.poll(), Lines{});  // there is none yet
  lab.append("a\nb\n");
  EXPECT_EQ(lab.poll(), (Lines{"a", "b"}));
  EXPECT_EQ(lab.poll(), Lines{});
  lab.append("c\nhalf");
  EXPECT_EQ(lab.poll(), Lines{"c"});
  lab.append(" of it\n");
  EXPECT_EQ(lab.poll(), Lines{"half of it"});
}

TEST(LineTailTest, a_log_that_is_cut_loses_and_doubles_nothing) {
  TailLab lab;
  lab.append("a\nb\nc\n");
  lab.poll();
  // As rotate() does it: the newest lines under a new inode, what came late behind what others have written already.
  lab.append("late\n");
  ASSERT_TRUE(replace_file(lab.disk, kLog, "b\nc\n", 0600).ok());
  lab.append("other\nlate\n");
  Lines lines = lab.poll();
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(lines, (Lines{"late", "other"}));
  lab.append("d\n");
  EXPECT_EQ(lab.poll(), Lines{"d"});
}

TEST(LineTailTest, a_log_that_was_emptied_or_removed_begins_again) {
  TailLab lab;
  lab.append("a\nb\n");
  lab.poll();
  ASSERT_TRUE(lab.disk.unlink(kLog).ok());
  EXPECT_EQ(lab.poll(), Lines{});
  lab.append("c\n");
  EXPECT_EQ(lab.poll(), Lines{"c"});
}

// The real rotation, with a log that outgrows its limit again and again.
TEST(LineTailTest, follows_the_wrappers_own_rotation) {
  for (int every : {1, 7, 50}) {
    TailLab lab;
    Config config;
    config.event_log_max_size = 4000;
    config.event_log_keep_lines = 10;
    Lines got;
    for (int i = 0; i < 500; ++i) {
      append_event(lab.disk, kLog, config, "line number " + std::to_string(i) + std::string(30, '.') + "\n");
      if (i % every == 0) {
        for (const std::string& line : lab.poll()) got.push_back(line);
      }
    }
    for (const std::string& line : lab.poll()) got.push_back(line);
    // Who looks often enough misses nothing.
    for (size_t i = 0; every <= 7 && i < 500; ++i) {
      ASSERT_EQ(got.size(), 500u) << every;
      EXPECT_TRUE(got[i].starts_with("line number " + std::to_string(i) + ".")) << got[i];
    }
    std::sort(got.begin(), got.end());
    EXPECT_EQ(std::adjacent_find(got.begin(), got.end()), got.end());
  }
}

}  // namespace
}  // namespace kache
