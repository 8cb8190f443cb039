// The index says what the files say, whatever happened to either.
#include "index/store_index.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <map>
#include <random>
#include <set>

#include "base/path.h"
#include "index/walk.h"
#include "store/publish.h"
#include "tests/support/forwarding_file_system.h"

namespace kache {
namespace {

class StoreIndexTest : public testing::Test {
 protected:
  StoreIndexTest() {
    char name[] = "/tmp/kache-index-XXXXXX";
    root_ = ::mkdtemp(name);
    layout_ = StoreLayout(root_);
    EXPECT_TRUE(prepare_store(fs_, layout_).ok());
  }
  ~StoreIndexTest() override { (void)!::system(("rm -rf " + root_).c_str()); }

  static ActionKey key(int n) { return {Hasher().field("entry", static_cast<uint64_t>(n)).finish()}; }

  // Blobs are numbers; a blob of number n has n bytes. Only the entry is written: the index never looks at blobs.
  void publish(int n, std::vector<int> blobs, const std::string& crate = "unit") {
    Entry entry;
    entry.key = key(n);
    entry.invocation.digest = Hasher().field("invocation", static_cast<uint64_t>(n / 2)).finish();
    entry.crate_name = crate;
    entry.created_ns = n;
    for (int blob : blobs) {
      Output output;
      output.role = "link";
      output.name = "file" + std::to_string(blob);
      output.size = static_cast<uint64_t>(blob);
      output.blob.digest = Hasher().field("blob", static_cast<uint64_t>(blob)).finish();
      entry.outputs.push_back(std::move(output));
    }
    ASSERT_TRUE(publish_entry(fs_, layout_, entry).ok());
  }

  StoreIndex open() { return StoreIndex::open(fs_, system_clock(), layout_); }

  StoreTotals refreshed(RefreshDepth depth = RefreshDepth::members) {
    StoreIndex index = open();
    EXPECT_TRUE(index.refresh(depth, pace_).ok());
    entries_read_ = index.entries_read();
    is_kept_ = index.is_kept();
    return index.totals();
  }

  StoreTotals counted() {
    StoreTotals sum;
    std::map<Digest, uint64_t> blobs;
    each_sharded(fs_, layout_.entries(), [&](const std::string& path, const std::string&) {
      std::string bytes = read_file(fs_, path, 1 << 20).value();
      Entry entry = decode_any_entry(bytes).value();
      sum.entries++;
      sum.entry_bytes += bytes.size();
      for (const Output& output : entry.outputs) {
        sum.logical_bytes += output.size;
        blobs[output.blob.digest] = output.size;
      }
    });
    sum.blobs = blobs.size();
    for (const auto& [digest, size] : blobs) sum.blob_bytes += size;
    return sum;
  }

  void expect_equal(const StoreTotals& a, const StoreTotals& b) {
    EXPECT_EQ(a.entries, b.entries);
    EXPECT_EQ(a.entry_bytes, b.entry_bytes);
    EXPECT_EQ(a.logical_bytes, b.logical_bytes);
    EXPECT_EQ(a.blobs, b.blobs);
    EXPECT_EQ(a.blob_bytes, b.blob_bytes);
  }

  FileSystem& fs_ = posix_file_system();
  std::string root_;
  StoreLayout layout_{""};
  Pace pace_;
  uint64_t entries_read_ = 0;
  bool is_kept_ = false;
};

TEST_F(StoreIndexTest, counts_each_blob_once_and_each_naming_of_it) {
  publish(1, {10, 20});
  publish(2, {20, 30, 30});
  StoreTotals totals = refreshed();
  EXPECT_TRUE(is_kept_);
  EXPECT_EQ(totals.entries, 2u);
  EXPECT_EQ(totals.blobs, 3u);
  EXPECT_EQ(totals.blob_bytes, 60u);
  EXPECT_EQ(totals.logical_bytes, 110u);
}

TEST_F(StoreIndexTest, reads_only_what_is_new) {
  for (int i = 0; i < 50; ++i) publish(i, {i});
  (void)refreshed();
  EXPECT_EQ(entries_read_, 50u);
  (void)refreshed(RefreshDepth::times);
  EXPECT_EQ(entries_read_, 0u);
  publish(50, {50});
  ::usleep(20'000);
  (void)refreshed();
  EXPECT_EQ(entries_read_, 1u);
}

TEST_F(StoreIndexTest, follows_a_store_that_changes_under_it) {
  std::mt19937 random(11);
  std::set<int> present;
  for (int round = 0; round < 60; ++round) {
    for (int i = 0; i < 20; ++i) {
      int n = static_cast<int>(random() % 200);
      if (random() % 3 == 0 && present.erase(n)) {
        ASSERT_TRUE(fs_.unlink(layout_.entry(key(n))).ok());
      } else {
        publish(n, {static_cast<int>(random() % 40), static_cast<int>(random() % 40 + 40)});
        present.insert(n);
      }
    }
    // No pause: most of this happens within one tick of the clock that stamps directories.
    expect_equal(refreshed(round % 2 ? RefreshDepth::members : RefreshDepth::times), counted());
    if (testing::Test::HasFailure()) break;
  }
}

TEST_F(StoreIndexTest, a_whole_directory_that_is_gone_is_forgotten) {
  for (int i = 0; i < 20; ++i) publish(i, {i});
  (void)refreshed();
  ASSERT_EQ(::system(("rm -rf " + layout_.entries() + "/*").c_str()), 0);
  expect_equal(refreshed(), StoreTotals{});
}

TEST_F(StoreIndexTest, a_file_that_is_no_index_is_made_again) {
  for (int i = 0; i < 30; ++i) publish(i, {i});
  StoreTotals right = refreshed();
  std::string whole = read_file(fs_, layout_.index(), 64 << 20).value();
  std::mt19937 random(5);
  for (int round = 0; round < 40; ++round) {
    std::string damaged = whole;
    if (round == 0) damaged = "no database at all, but long enough to look like one of a kind that is unknown here";
    else if (round == 1) damaged.clear();
    else if (round % 2) damaged.resize(random() % damaged.size());
    else for (int i = 0; i < 200; ++i) damaged[random() % damaged.size()] ^= static_cast<char>(1 + random() % 255);
    for (const char* part : {"-wal", "-shm"}) (void)fs_.unlink(layout_.index() + part);
    ASSERT_TRUE(replace_file(fs_, layout_.index(), damaged, 0600).ok());
    publish(100 + round, {1});  // what has to be noticed
    right.entries++;
    StoreTotals totals = refreshed(RefreshDepth::times);
    // Bits that are flipped in the middle of a row can not be seen by anybody; that it works on can.
    EXPECT_TRUE(round >= 2 || totals.entries == right.entries);
  }
  ASSERT_TRUE(replace_file(fs_, layout_.index(), "x", 0600).ok());
  expect_equal(refreshed(), counted());
}

TEST_F(StoreIndexTest, tables_of_another_version_are_made_again) {
  publish(1, {1});
  {
    Database db = Database::open(layout_.index()).value();
    ASSERT_TRUE(db.run("CREATE TABLE entries(x); PRAGMA user_version = 99").ok());
  }
  expect_equal(refreshed(), counted());
  EXPECT_TRUE(is_kept_);
}

TEST_F(StoreIndexTest, without_a_place_to_keep_it_the_answer_is_the_same) {
  publish(1, {5});
  ASSERT_TRUE(fs_.make_dir(layout_.index(), 0700).ok());
  expect_equal(refreshed(), counted());
  EXPECT_FALSE(is_kept_);
}

TEST_F(StoreIndexTest, files_that_are_no_entries_are_named_and_not_counted) {
  publish(1, {5});
  std::string shard = std::string(dir_name(layout_.entry(key(1))));
  std::vector<std::string> bad = {shard + "/garbage", layout_.entries() + "/zz", layout_.entry(key(2))};
  ASSERT_TRUE(fs_.create(bad[0], "x", 0600).ok());
  ASSERT_TRUE(fs_.create(bad[1], "x", 0600).ok());
  ASSERT_TRUE(make_dirs(fs_, std::string(dir_name(bad[2])), 0700).ok());
  ASSERT_TRUE(fs_.create(bad[2], "torn", 0600).ok());
  StoreIndex index = open();
  std::vector<std::string> broken;
  ASSERT_TRUE(index.refresh(RefreshDepth::times, pace_, &broken).ok());
  std::sort(bad.begin(), bad.end());
  std::sort(broken.begin(), broken.end());
  EXPECT_EQ(broken, bad);
  EXPECT_EQ(index.totals().entries, 1u);
}

TEST_F(StoreIndexTest, lists_in_every_order) {
  publish(3, {10}, "b");
  publish(1, {30}, "a");
  publish(2, {20}, "c");
  StoreIndex index = open();
  ASSERT_TRUE(index.refresh(RefreshDepth::members, pace_).ok());
  auto names = [&](ListOrder order, const std::string& crate = "") {
    std::string out;
    StoreIndex::Hits hits = {{key(2).digest, 1}, {key(3).digest, 1}, {key(2).digest, 1}};
    EXPECT_TRUE(index.each_entry(crate, order, hits, [&](const IndexedEntry& e) { out += e.crate_name + std::to_string(e.hits); }).ok());
    return out;
  };
  EXPECT_EQ(names(ListOrder::name), "a0b1c2");
  EXPECT_EQ(names(ListOrder::size), "a0c2b1");
  EXPECT_EQ(names(ListOrder::hits), "c2b1a0");
  EXPECT_EQ(names(ListOrder::age), "a0c2b1");
  EXPECT_EQ(names(ListOrder::age, "b"), "b1");
  EXPECT_EQ(index.invocations_of("c").value().size(), 1u);
}

TEST_F(StoreIndexTest, two_programs_may_use_it_at_once) {
  for (int i = 0; i < 100; ++i) publish(i, {i});
  StoreIndex one = open(), other = open();
  ASSERT_TRUE(one.refresh(RefreshDepth::members, pace_).ok());
  publish(200, {1});
  ASSERT_TRUE(other.refresh(RefreshDepth::times, pace_).ok());
  ASSERT_TRUE(one.refresh(RefreshDepth::times, pace_).ok());
  expect_equal(one.totals(), counted());
  expect_equal(other.totals(), counted());
}

// A directory that can not be read now is not an empty one.
class BlindDisk final : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  std::string hidden;
  Result<std::vector<DirEntry>> list(const std::string& path) override {
    if (path == hidden) return error_from_errno(5, path);
    return inner_.list(path);
  }
};

TEST_F(StoreIndexTest, what_can_not_be_read_now_is_not_forgotten) {
  publish(1, {5});
  (void)refreshed();
  BlindDisk blind(fs_);
  for (const std::string& hidden : {layout_.entries(), std::string(dir_name(layout_.entry(key(1))))}) {
    blind.hidden = hidden;
    StoreIndex index = StoreIndex::open(blind, system_clock(), layout_);
    EXPECT_FALSE(index.refresh(RefreshDepth::times, pace_).ok());
  }
  expect_equal(refreshed(), counted());
}

}  // namespace
}  // namespace kache
