#include "store/memo.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

namespace kache {
namespace {

class MemoTest : public testing::Test {
 protected:
  MemoTest() {
    char name[] = "/tmp/kache-memo-XXXXXX";
    dir_ = ::mkdtemp(name);
    path_ = dir_ + "/memo";
  }
  ~MemoTest() override {
    ::unlink(path_.c_str());
    ::rmdir(dir_.c_str());
  }
  static FileStat file(uint64_t ino, int64_t ctime = 5) {
    FileStat stat;
    stat.dev = 1;
    stat.ino = ino;
    stat.size = 10;
    stat.mtime_ns = 3;
    stat.ctime_ns = ctime;
    return stat;
  }
  std::string dir_, path_;
  Digest found_;
};

TEST_F(MemoTest, finds_what_was_kept_for_exactly_that_identity) {
  Digest digest = digest_bytes("x");
  Memo::open(path_).insert(file(7), 0, digest);
  Memo memo = Memo::open(path_);
  ASSERT_TRUE(memo.find(file(7), 0, &found_));
  EXPECT_EQ(found_, digest);
  EXPECT_FALSE(memo.find(file(7, 6), 0, &found_));
  EXPECT_FALSE(memo.find(file(8), 0, &found_));
  EXPECT_FALSE(memo.find(file(7), 1, &found_));
}

TEST_F(MemoTest, a_sealed_file_is_known_whatever_its_ctime) {
  Digest digest = digest_bytes("x");
  FileStat sealed = file(7);
  sealed.mtime_ns = seal_mtime(digest);
  Memo memo = Memo::open(path_);
  memo.insert(sealed, 0, digest);
  sealed.ctime_ns = 99;
  EXPECT_TRUE(memo.find(sealed, 0, &found_));
}

TEST_F(MemoTest, torn_and_foreign_files_are_forgotten) {
  for (const char* damage : {"", "short", "truncate"}) {
    Memo::open(path_).insert(file(7), 0, digest_bytes("x"));
    if (std::string_view(damage) == "truncate") ASSERT_EQ(::truncate(path_.c_str(), 5000), 0);
    else ASSERT_TRUE(replace_file(posix_file_system(), path_, damage, 0600).ok());
    Memo memo = Memo::open(path_);
    EXPECT_FALSE(memo.find(file(7), 0, &found_));
    memo.insert(file(7), 0, digest_bytes("x"));
    EXPECT_TRUE(memo.find(file(7), 0, &found_));
  }
}

TEST_F(MemoTest, a_flipped_bit_is_not_believed) {
  Memo memo = Memo::open(path_);
  memo.insert(file(7), 0, digest_bytes("x"));
  std::string bytes = read_file(posix_file_system(), path_, 64 << 20).value();
  size_t at = bytes.find_first_not_of('\0', Memo::kHeaderSize);
  bytes[at + 60] ^= 1;  // inside the digest
  ASSERT_TRUE(replace_file(posix_file_system(), path_, bytes, 0600).ok());
  EXPECT_FALSE(Memo::open(path_).find(file(7), 0, &found_));
}

TEST_F(MemoTest, grows_when_it_is_crowded_and_keeps_what_it_knows) {
  Memo memo = Memo::open(path_);
  for (uint64_t i = 1; i <= 60'000; ++i) memo.insert(file(i), 0, digest_bytes(std::to_string(i)));
  memo.grow_if_crowded();
  size_t known = 0;
  for (uint64_t i = 1; i <= 60'000; ++i) {
    if (!memo.find(file(i), 0, &found_)) continue;
    ++known;
    EXPECT_EQ(found_, digest_bytes(std::to_string(i)));
  }
  EXPECT_GT(known, 30'000u);
  for (uint64_t i = 1; i <= 60'000; ++i) memo.insert(file(i), 0, digest_bytes(std::to_string(i)));
  known = 0;
  for (uint64_t i = 1; i <= 60'000; ++i) known += memo.find(file(i), 0, &found_);
  EXPECT_GT(known, 45'000u);
}

}  // namespace
}  // namespace kache
