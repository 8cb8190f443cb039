#include "remote/verdict.h"

#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"

namespace kache {
namespace {

VerdictNote some_verdict(Verdict verdict, const std::string& key = "action") {
  return {{digest_bytes(key)}, verdict, int64_t{1'700'000'000} * 1'000'000'000, "a.c", "/w/app", "why \"so\"", {"a.o", "stderr"}, 42};
}

class VerdictTest : public ::testing::Test {
 protected:
  VerdictTest() { (void)prepare_store(fs_, layout_); }
  ManualClock clock_;
  MemFileSystem fs_{clock_};
  StoreLayout layout_{"/cache"};
};

TEST_F(VerdictTest, SurvivesWritingAndReading) {
  VerdictNote note = some_verdict(Verdict::differs);
  VerdictNote read = decode_verdict(encode_verdict(note)).value();
  EXPECT_EQ(encode_verdict(read), encode_verdict(note));
  EXPECT_EQ(read.what, note.what);
  EXPECT_EQ(decode_verdict("").code(), ErrorCode::corrupt);
  EXPECT_EQ(decode_verdict(encode_verdict(some_verdict(static_cast<Verdict>(7)))).code(), ErrorCode::corrupt);
}

TEST_F(VerdictTest, OnlyWhatDiffersIsDisbelieved) {
  ActionKey key = some_verdict(Verdict::same).key;
  EXPECT_FALSE(is_disbelieved(fs_, layout_, key));
  for (Verdict verdict : {Verdict::unsteady, Verdict::failed, Verdict::skipped}) {
    ASSERT_TRUE(keep_verdict(fs_, layout_, some_verdict(verdict)).ok());
    EXPECT_FALSE(is_disbelieved(fs_, layout_, key)) << verdict_name(verdict);
  }
  ASSERT_TRUE(keep_verdict(fs_, layout_, some_verdict(Verdict::differs)).ok());
  EXPECT_TRUE(is_disbelieved(fs_, layout_, key));
  EXPECT_FALSE(is_disbelieved(fs_, layout_, {digest_bytes("another")}));
  // Under another name it says nothing.
  ActionKey other{digest_bytes("other")};
  ASSERT_TRUE(fs_.rename(layout_.verdict(key), layout_.verdict(other)).ok());
  EXPECT_FALSE(is_disbelieved(fs_, layout_, other));
  EXPECT_TRUE(read_verdicts(fs_, layout_).empty());
}

}  // namespace
}  // namespace kache
