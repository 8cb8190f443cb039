#include "remote/compress.h"

#include <gtest/gtest.h>

#include "tests/support/exchange_lab.h"

namespace kache {
namespace {

Result<std::string> in_pieces(std::string_view packed, size_t piece, uint64_t limit) {
  StringSink whole;
  DecompressingSink sink(whole, limit);
  for (; !packed.empty(); packed.remove_prefix(std::min(piece, packed.size()))) KACHE_TRY(sink.write(packed.substr(0, piece)));
  KACHE_TRY(sink.finish());
  return whole.bytes();
}

TEST(CompressTest, gives_back_what_went_in) {
  for (const std::string& bytes : {std::string(), std::string("x"), std::string(3 << 20, 'a'), noise(400'000)}) {
    for (int level : {kLowestLevel, 3, kHighestLevel}) {
      if (level == kHighestLevel && bytes.size() > 1'000'000) continue;  // takes a second
      std::string packed = compress(bytes, level);
      EXPECT_TRUE(decompress(packed, bytes.size()).value() == bytes);
      EXPECT_TRUE(in_pieces(packed, 7777, bytes.size()).value() == bytes);
    }
  }
  EXPECT_EQ(in_pieces(compress("a few bytes", 3), 1, 100).value(), "a few bytes");
}

TEST(CompressTest, a_bomb_is_stopped_at_the_limit) {
  std::string bomb = compress(std::string(64 << 20, '\0'), 3);
  ASSERT_LT(bomb.size(), 10'000u);
  StringSink out;
  DecompressingSink sink(out, 1000);
  EXPECT_EQ(sink.write(bomb).code(), ErrorCode::too_large);
  EXPECT_LE(out.bytes().size(), 1000u);
  EXPECT_EQ(decompress(compress(std::string(1001, 'a'), 3), 1000).code(), ErrorCode::too_large);
}

TEST(CompressTest, what_is_cut_off_is_refused_everywhere) {
  std::string packed = compress("what is cut off is refused, wherever that is", 3);
  for (size_t size = 0; size < packed.size(); ++size) {
    EXPECT_EQ(decompress(std::string_view(packed).substr(0, size), 1000).code(), ErrorCode::corrupt) << size;
  }
}

TEST(CompressTest, bytes_behind_the_end_are_refused) {
  std::string packed = compress("content", 3);
  EXPECT_EQ(decompress(packed + "x", 1000).code(), ErrorCode::corrupt);
  EXPECT_EQ(decompress(packed + packed, 1000).code(), ErrorCode::corrupt);
  EXPECT_EQ(in_pieces(packed + "x", packed.size(), 1000).code(), ErrorCode::corrupt);
}

TEST(CompressTest, what_is_no_zstd_is_refused) {
  EXPECT_EQ(decompress("<html>404 not found</html>", 1000).code(), ErrorCode::corrupt);
  EXPECT_EQ(decompress("", 1000).code(), ErrorCode::corrupt);
}

TEST(CompressTest, a_window_that_takes_much_memory_is_refused) {
  for (int log : {kLargestWindowLog, kLargestWindowLog + 1}) {
    // The first bytes of a frame say how large it is; nobody has to make one.
    std::string head("\x28\xb5\x2f\xfd", 4);
    head += '\0';                                     // no content size, no single segment
    head += static_cast<char>((log - 10) << 3);       // window descriptor
    head += std::string("\x01\x00\x00", 3);           // a last, raw, empty block
    Result<std::string> opened = decompress(head, 1000);
    EXPECT_EQ(opened.ok(), log == kLargestWindowLog) << log;
  }
}

TEST(CompressTest, an_error_of_the_next_sink_ends_it) {
  struct Full final : Sink {
    Status write(std::string_view) override { return Error{ErrorCode::no_space, 0, "full"}; }
  } full;
  DecompressingSink sink(full, 1000);
  EXPECT_EQ(sink.write(compress("content", 3)).code(), ErrorCode::no_space);
}

}  // namespace
}  // namespace kache
