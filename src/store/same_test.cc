#include "store/same.h"

#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"

namespace kache {
namespace {

TEST(Same, TheOriginStandsForTheContent) {
  ManualClock clock;
  MemFileSystem fs(clock);
  StoreLayout layout("/cache");
  ASSERT_TRUE(prepare_store(fs, layout).ok());
  Digest content = digest_bytes("bytes"), origin = digest_bytes("inputs");
  EXPECT_EQ(origin_of(fs, layout, content), content);
  ASSERT_TRUE(note_origin(fs, layout, content, origin).ok());
  EXPECT_EQ(origin_of(fs, layout, content), origin);
  fs.overwrite(layout.same(content), "torn");
  EXPECT_EQ(origin_of(fs, layout, content), content);
}

TEST(Same, IsForWhatCompilersMakeOtherwiseEachTime) {
  EXPECT_TRUE(is_remade_otherwise("a/p.h.gch"));
  EXPECT_TRUE(is_remade_otherwise("m.pcm"));
  EXPECT_FALSE(is_remade_otherwise("a.o"));
  EXPECT_FALSE(is_remade_otherwise("gch"));
}

}  // namespace
}  // namespace kache
