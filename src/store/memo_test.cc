#include "store/memo.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

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
  BootId boot_ = parse_boot_id("00112233-4455-6677-8899-aabbccddeeff");
  Digest found_;
};

TEST_F(MemoTest, finds_what_was_kept_for_exactly_that_identity) {
  Digest digest = digest_bytes("x");
  Memo::open(path_, boot_).insert(file(7), 0, digest);
  Memo memo = Memo::open(path_, boot_);
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
  Memo memo = Memo::open(path_, boot_);
  memo.insert(sealed, 0, digest);
  sealed.ctime_ns = 99;
  EXPECT_TRUE(memo.find(sealed, 0, &found_));
}

TEST_F(MemoTest, torn_and_foreign_files_are_forgotten) {
  for (const char* damage : {"", "short", "truncate"}) {
    Memo::open(path_, boot_).insert(file(7), 0, digest_bytes("x"));
    if (std::string_view(damage) == "truncate") ASSERT_EQ(::truncate(path_.c_str(), 5000), 0);
    else ASSERT_TRUE(replace_file(posix_file_system(), path_, damage, 0600).ok());
    Memo memo = Memo::open(path_, boot_);
    EXPECT_FALSE(memo.find(file(7), 0, &found_));
    memo.insert(file(7), 0, digest_bytes("x"));
    EXPECT_TRUE(memo.find(file(7), 0, &found_));
  }
}

TEST_F(MemoTest, what_another_boot_knew_is_forgotten) {
  Memo::open(path_, boot_).insert(file(7), 0, digest_bytes("x"));
  BootId later = parse_boot_id("ffffffff-4455-6677-8899-aabbccddeeff");
  Memo memo = Memo::open(path_, later);
  EXPECT_FALSE(memo.find(file(7), 0, &found_));
  memo.insert(file(8), 0, digest_bytes("y"));
  EXPECT_TRUE(Memo::open(path_, later).find(file(8), 0, &found_));
  EXPECT_FALSE(Memo::open(path_, boot_).find(file(8), 0, &found_));
  Memo unknown = Memo::open(path_, BootId{});
  unknown.insert(file(8), 0, digest_bytes("y"));
  EXPECT_FALSE(unknown.find(file(8), 0, &found_));
}

TEST_F(MemoTest, of_a_slot_that_was_half_written_nothing_is_found) {
  for (size_t kept = 0; kept < Memo::kSlotSize; kept += 8) {
    ::unlink(path_.c_str());
    Memo memo = Memo::open(path_, boot_);
    memo.insert(file(7), 0, digest_bytes("old"));
    std::string before = read_file(posix_file_system(), path_, 64 << 20).value();
    memo.insert(file(7, 6), 0, digest_bytes("new"));
    std::string after = read_file(posix_file_system(), path_, 64 << 20).value();
    size_t slot = before.find_first_not_of('\0', Memo::kHeaderSize);
    std::string torn = after.substr(0, slot + kept) + before.substr(slot + kept);
    ASSERT_TRUE(replace_file(posix_file_system(), path_, torn, 0600).ok());
    Memo reopened = Memo::open(path_, boot_);
    EXPECT_TRUE(!reopened.find(file(7), 0, &found_) || found_ == digest_bytes("old")) << kept;
    EXPECT_TRUE(!reopened.find(file(7, 6), 0, &found_) || found_ == digest_bytes("new")) << kept;
  }
}

TEST_F(MemoTest, writers_at_the_same_time_never_make_a_wrong_digest) {
  std::vector<std::thread> writers;
  std::atomic<int> wrong = 0, found = 0;
  auto digest = [](uint64_t ino, int64_t ctime) { return digest_bytes(std::to_string(ino) + ":" + std::to_string(ctime)); };
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (int round = 0; round < 3000; ++round) {
        Memo memo = Memo::open(path_, boot_);
        uint64_t ino = static_cast<uint64_t>(round % 5);  // few files, many states: all want the same slots
        int64_t ctime = round * 4 + writer;
        memo.insert(file(ino, ctime), 0, digest(ino, ctime));
        Digest seen;
        for (int64_t other = ctime - 8; other <= ctime + 8; ++other) {
          if (!memo.find(file(ino, other), 0, &seen)) continue;
          ++found;
          wrong += seen != digest(ino, other);
        }
        if (round % 500 == 0) memo.grow_if_crowded();
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(found, 0);
}

TEST_F(MemoTest, a_flipped_bit_is_not_believed) {
  Memo memo = Memo::open(path_, boot_);
  memo.insert(file(7), 0, digest_bytes("x"));
  std::string bytes = read_file(posix_file_system(), path_, 64 << 20).value();
  size_t at = bytes.find_first_not_of('\0', Memo::kHeaderSize);
  bytes[at + 60] ^= 1;  // inside the digest
  ASSERT_TRUE(replace_file(posix_file_system(), path_, bytes, 0600).ok());
  EXPECT_FALSE(Memo::open(path_, boot_).find(file(7), 0, &found_));
}

TEST_F(MemoTest, grows_when_it_is_crowded_and_keeps_what_it_knows) {
  Memo memo = Memo::open(path_, boot_);
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
