// Garbage collection: what goes, what stays, whatever fails in the middle and whoever else is at work.
#include "index/collect.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <thread>

#include "base/path.h"
#include "index/walk.h"
#include "store/publish.h"
#include "store/same.h"
#include "tests/support/forwarding_file_system.h"
#include "tests/unit/store_lab.h"

namespace kache {
namespace {

using Answer = StoreLab::Answer;

constexpr int64_t kHour = 3600 * 1000;  // ms

GcLimits tight() {
  GcLimits limits;
  limits.max_size = 1;
  return limits;
}

Result<GcReport> collect(StoreLab& lab, FileSystem& fs, const GcLimits& limits) {
  Pace pace;
  StoreIndex index = StoreIndex::open(fs, lab.clock, lab.layout);
  return collect_garbage(fs, lab.clock, lab.layout, index, limits, pace);
}

size_t count_below(StoreLab& lab, const std::string& dir) { return lab.disk.files_below(dir).size(); }

// Two results, published long ago.
void prepare(StoreLab& lab) {
  for (const char* source : {"first", "second"}) {
    lab.write_source(source);
    ASSERT_TRUE(lab.publish(lab.disk).ok());
  }
  lab.remove_outputs();
  lab.clock.advance_ms(2 * kHour);
}

TEST(CollectTest, below_its_limits_a_store_is_left_alone) {
  StoreLab lab;
  prepare(lab);
  auto before = lab.disk.files_below("/cache/v1");
  GcReport report = collect(lab, lab.disk, {}).value();
  EXPECT_EQ(report.entries, 2u);
  EXPECT_EQ(report.bytes_freed, 0u);
  for (const auto& [path, bytes] : before) EXPECT_TRUE(lab.disk.stat(path).ok()) << path;
}

TEST(CollectTest, over_its_limit_everything_old_goes_and_is_counted) {
  StoreLab lab;
  prepare(lab);
  GcReport report = collect(lab, lab.disk, tight()).value();
  EXPECT_EQ(report.evicted_by_size, 2u);
  EXPECT_EQ(report.blobs_removed, 4u);
  EXPECT_EQ(report.stale_traces, 1u);
  EXPECT_EQ(report.entries, 0u);
  EXPECT_GT(report.bytes_freed, 0u);
  for (const char* dir : {"/cache/v1/blobs", "/cache/v1/entries", "/cache/v1/traces"}) EXPECT_EQ(count_below(lab, dir), 0u);
}

TEST(CollectTest, what_a_precompiled_header_was_made_of_goes_with_it) {
  StoreLab lab;
  prepare(lab);
  Digest gone = Hasher().field("content", uint64_t{1}).finish();
  Digest present;
  std::string blob = lab.disk.files_below("/cache/v1/blobs").begin()->first;
  ASSERT_TRUE(Digest::parse_hex(base_name(blob), present));
  for (const Digest& content : {gone, present}) ASSERT_TRUE(note_origin(lab.disk, lab.layout, content, gone).ok());
  EXPECT_EQ(collect(lab, lab.disk, {}).value().leftovers, 0u);  // the grace
  lab.clock.advance_ms(2 * kHour);
  EXPECT_EQ(collect(lab, lab.disk, {}).value().leftovers, 1u);
  EXPECT_EQ(origin_of(lab.disk, lab.layout, present), gone);
  EXPECT_EQ(count_below(lab, "/cache/v1/same"), 1u);
  EXPECT_EQ(collect(lab, lab.disk, tight()).value().leftovers, 1u);
  EXPECT_EQ(count_below(lab, "/cache/v1/same"), 0u);
}

TEST(CollectTest, what_a_checkout_still_holds_is_not_promised) {
  StoreLab lab;
  ASSERT_TRUE(lab.publish(lab.disk).ok());  // the rlib in the target directory is one inode with the blob
  lab.clock.advance_ms(2 * kHour);
  GcReport report = collect(lab, lab.disk, tight()).value();
  EXPECT_GT(report.bytes_linked, 0u);
  EXPECT_EQ(lab.outputs(), lab.outputs_of("first"));
}

TEST(CollectTest, a_full_disk_makes_room_only_by_what_comes_back) {
  for (bool is_linked : {false, true}) {
    StoreLab lab;
    for (const char* source : {"first", "second"}) {
      lab.write_source(source);
      ASSERT_TRUE(lab.publish(lab.disk).ok());
      for (const auto& [path, bytes] : lab.outputs()) {
        if (is_linked) (void)lab.disk.rename(path, path + "-" + source);
      }
    }
    if (!is_linked) lab.remove_outputs();
    lab.clock.advance_ms(2 * kHour);
    GcLimits limits;
    limits.min_free_space = 2000;
    limits.free_space = 1000;
    GcReport report = collect(lab, lab.disk, limits).value();
    EXPECT_EQ(report.evicted_by_size, is_linked ? 2u : 1u);
  }
}

TEST(CollectTest, the_least_worth_goes_first_and_enough_of_it) {
  StoreLab lab;
  for (int i = 0; i < 20; ++i) {
    lab.write_source("source " + std::to_string(i));
    ASSERT_TRUE(lab.publish(lab.disk).ok());
    lab.clock.advance_ms(24 * kHour);  // the later, the more worth
  }
  lab.remove_outputs();
  GcReport all = collect(lab, lab.disk, {}).value();
  GcLimits limits;
  limits.max_size = all.size / 2;
  GcReport report = collect(lab, lab.disk, limits).value();
  EXPECT_LE(report.size, limits.max_size / 10 * 9);
  EXPECT_GT(report.size, limits.max_size / 10 * 7);
  bool may_miss = true;
  for (int i = 0; i < 20; ++i) {
    lab.write_source("source " + std::to_string(i));
    bool hit = lab.ask(lab.disk) == Answer::hit;
    EXPECT_TRUE(hit || may_miss) << i;
    may_miss &= !hit;
  }
  EXPECT_FALSE(may_miss);
}

TEST(CollectTest, age_counts_from_the_last_use) {
  StoreLab lab;
  prepare(lab);
  lab.write_source("first");
  ASSERT_EQ(lab.ask(lab.disk), Answer::hit);
  GcLimits limits;
  limits.max_age_ns = kHour * 1'000'000;
  lab.clock.advance_ms(1000);
  GcReport report = collect(lab, lab.disk, limits).value();
  EXPECT_EQ(report.evicted_by_age, 1u);
  EXPECT_EQ(lab.ask(lab.disk), Answer::hit);
}

TEST(CollectTest, nothing_young_is_touched) {
  StoreLab lab;
  ASSERT_TRUE(lab.publish(lab.disk).ok());
  (void)lab.disk.create("/cache/v1/blobs/orphan", "x", 0600);
  (void)lab.disk.create("/cache/v1/tmp/.blob.1.2.tmp", "x", 0600);
  lab.clock.advance_ms(60'000);
  GcReport report = collect(lab, lab.disk, tight()).value();
  EXPECT_EQ(report.evicted_by_size + report.blobs_removed + report.leftovers, 0u);
  EXPECT_EQ(lab.ask(lab.disk), Answer::hit);
}

TEST(CollectTest, leftovers_of_the_dead_go_when_they_are_old) {
  StoreLab lab;
  std::vector<std::string> left = {"/cache/v1/tmp/.blob.1.2.tmp", "/cache/.gc_stats.json.1.2.tmp", "/cache/v1/.memo.1.2.tmp",
                                   "/cache/v1/quarantine/x", "/cache/v1/toolchains/.x.1.2.tmp"};
  for (const std::string& path : left) ASSERT_TRUE(lab.disk.create(path, "x", 0600).ok());
  lab.clock.advance_ms(8 * 24 * kHour);
  EXPECT_EQ(collect(lab, lab.disk, {}).value().leftovers, left.size());
  EXPECT_TRUE(lab.leftovers().empty());
}

// Somebody uses an entry after the collection has looked at it, right before it is removed.
class LateUse final : public ForwardingFileSystem {
 public:
  LateUse(FileSystem& inner, ManualClock& clock) : ForwardingFileSystem(inner), clock_(clock) {}
  Result<FileStat> stat(const std::string& path) override {
    if (path.find("/entries/") != std::string::npos && path.size() > 64) {
      clock_.advance_ms(1);
      (void)inner_.touch(path);
    }
    return inner_.stat(path);
  }

 private:
  ManualClock& clock_;
};

TEST(CollectTest, what_is_used_at_the_last_moment_stays) {
  StoreLab lab;
  prepare(lab);
  LateUse late(lab.disk, lab.clock);
  GcReport report = collect(lab, late, tight()).value();
  EXPECT_EQ(report.evicted_by_size, 0u);
  EXPECT_EQ(lab.ask(lab.disk), Answer::hit);
}

TEST(CollectTest, a_reader_keeps_the_blob_that_it_has_opened) {
  StoreLab lab;
  prepare(lab);
  std::string path = lab.disk.files_below("/cache/v1/blobs").begin()->first;
  std::string bytes = read_file(lab.disk, path, 1 << 20).value();
  File open = open_file(lab.disk, path).value();
  ASSERT_TRUE(collect(lab, lab.disk, tight()).ok());
  EXPECT_FALSE(lab.disk.stat(path).ok());
  EXPECT_EQ(read_handle(lab.disk, open.handle(), 1 << 20).value(), bytes);
}

TEST(CollectTest, a_store_that_can_not_be_read_loses_nothing) {
  class BlindDisk final : public ForwardingFileSystem {
   public:
    using ForwardingFileSystem::ForwardingFileSystem;
    Result<std::vector<DirEntry>> list(const std::string& path) override {
      if (path.find("/entries") != std::string::npos) return error_from_errno(EIO, path);
      return inner_.list(path);
    }
  };
  StoreLab lab;
  prepare(lab);
  BlindDisk blind(lab.disk);
  EXPECT_FALSE(collect(lab, blind, tight()).ok());
  EXPECT_EQ(lab.ask(lab.disk), Answer::hit);
}

TEST(CollectTest, one_at_a_time) {
  StoreLab lab;
  prepare(lab);
  File lock = lock_file(lab.disk, lab.layout.gc_lock(), LockMode::try_exclusive).value();
  EXPECT_TRUE(collect(lab, lab.disk, tight()).value().busy);
  EXPECT_EQ(lab.ask(lab.disk), Answer::hit);
}

TEST(CollectTest, a_purge_does_not_wait_for_another_run) {
  StoreLab lab;
  prepare(lab);
  File lock = lock_file(lab.disk, lab.layout.gc_lock(), LockMode::try_exclusive).value();
  GcLimits limits;
  limits.purge = "";
  GcReport report = collect(lab, lab.disk, limits).value();
  EXPECT_TRUE(report.busy);
  EXPECT_EQ(report.purged, 2u);
  EXPECT_EQ(count_below(lab, "/cache/v1/entries"), 0u);
  EXPECT_EQ(count_below(lab, "/cache/v1/blobs"), 4u);
}

// What a run says and does, without the times.
std::string told(const GcReport& report, std::vector<std::string> evicted) {
  std::sort(evicted.begin(), evicted.end());
  std::string text;
  for (uint64_t n : {report.entries, report.size, report.evicted_by_age, report.evicted_by_size, report.stale_schema, report.purged,
                     report.broken, report.stale_traces, report.leftovers, report.blobs_removed, report.bytes_freed, report.bytes_linked}) {
    text += std::to_string(n) + " ";
  }
  for (const std::string& path : evicted) text += "\n" + path;
  return text;
}

TEST(CollectTest, a_dry_run_decides_as_the_real_one_and_removes_nothing) {
  struct Case {
    const char* name;
    std::function<void(GcLimits&)> set;
    uint64_t evicted;
  };
  const Case kCases[] = {
      {"limits that hold", [](GcLimits&) {}, 0},
      {"everything", [](GcLimits& limits) { limits.max_size = 1; }, 9},
      {"half", [](GcLimits& limits) { limits.max_size /= 2; }, 5},
      {"a full disk", [](GcLimits& limits) { limits.min_free_space = 2000, limits.free_space = 1000; }, 1},
      {"age", [](GcLimits& limits) { limits.max_age_ns = 4 * 24 * kHour * 1'000'000; }, 5},
      {"stale schema", [](GcLimits& limits) { limits.only_stale_schema = true; }, 1},
      {"purge", [](GcLimits& limits) { limits.purge = "", limits.grace_ns = 0; }, 9},
      {"purge of another unit", [](GcLimits& limits) { limits.purge = "nobody"; }, 0},
  };
  for (const Case& test : kCases) {
    StoreLab lab;
    for (int i = 0; i < 8; ++i) {
      lab.write_source("source " + std::to_string(i));
      ASSERT_TRUE(lab.publish(lab.disk).ok());
      lab.clock.advance_ms(24 * kHour);
    }
    lab.remove_outputs();
    std::string path = lab.disk.files_below("/cache/v1/entries").begin()->first;
    Entry old = decode_any_entry(read_file(lab.disk, path, 1 << 20).value()).value();
    old.schema = kKeySchema - 1;
    old.key.digest = Hasher().field("old", uint64_t{1}).finish();
    ASSERT_TRUE(publish_entry(lab.disk, lab.layout, old).ok());
    ASSERT_TRUE(make_dirs(lab.disk, "/cache/v1/entries/00", 0700).ok());
    ASSERT_TRUE(lab.disk.create("/cache/v1/entries/00/torn", "KENTRY", 0600).ok());
    ASSERT_TRUE(lab.disk.create("/cache/v1/entries/00/other", "KENTRY01 and more", 0600).ok());
    lab.clock.advance_ms(2 * kHour);

    GcLimits limits;
    limits.max_size = collect(lab, lab.disk, {}).value().size;
    ASSERT_TRUE(make_dirs(lab.disk, "/cache/v1/entries/00", 0700).ok());
    ASSERT_TRUE(lab.disk.create("/cache/v1/entries/00/torn", "KENTRY", 0600).ok());
    ASSERT_TRUE(lab.disk.create("/cache/v1/entries/00/other", "KENTRY01 and more", 0600).ok());
    lab.clock.advance_ms(2 * kHour);
    test.set(limits);
    std::string said[2];
    auto before = lab.disk.files_below("/cache/v1");
    for (bool is_dry : {true, false}) {
      EXPECT_EQ(lab.disk.files_below("/cache/v1"), before) << test.name;
      std::vector<std::string> evicted;
      limits.is_dry_run = is_dry;
      limits.on_evict = [&](const Evicted& one) { evicted.push_back(one.path); };
      Pace pace;
      StoreIndex index = is_dry ? StoreIndex::open_scratch(lab.disk, lab.clock, lab.layout) : StoreIndex::open(lab.disk, lab.clock, lab.layout);
      GcReport report = collect_garbage(lab.disk, lab.clock, lab.layout, index, limits, pace).value();
      EXPECT_EQ(report.evicted_by_age + report.evicted_by_size + report.purged + (limits.only_stale_schema ? report.stale_schema - 1 : 0), test.evicted) << test.name;
      EXPECT_EQ(report.broken, 1u);
      EXPECT_EQ(evicted.size(), test.evicted + 2);
      said[is_dry] = told(report, evicted);
    }
    EXPECT_EQ(said[0], said[1]) << test.name;
    EXPECT_NE(lab.disk.files_below("/cache/v1"), before) << test.name;
  }
}

// Purge, or a collection that has to take everything, stopped or hindered at each of its steps.
TEST(CollectTest, whatever_fails_the_next_collection_converges) {
  for (bool is_purge : {false, true}) {
    auto act = [&](StoreLab& lab, FileSystem& fs) {
      if (!is_purge) return (void)collect(lab, fs, tight());
      Pace pace;
      StoreIndex index = StoreIndex::open(fs, lab.clock, lab.layout);
      GcLimits limits;
      limits.purge = "";
      limits.grace_ns = 0;
      (void)collect_garbage(fs, lab.clock, lab.layout, index, limits, pace);
    };
    uint64_t operations = 0;
    {
      StoreLab lab;
      prepare(lab);
      FaultFileSystem counted(lab.disk, {});
      act(lab, counted);
      operations = counted.mutations();
      EXPECT_EQ(count_below(lab, "/cache/v1/blobs") + count_below(lab, "/cache/v1/entries"), 0u);
    }
    ASSERT_GT(operations, 5u);
    for (FaultPlan::Kind kind : {FaultPlan::fail, FaultPlan::fail_from, FaultPlan::kill, FaultPlan::torn}) {
      for (uint64_t at = 1; at <= operations; ++at) {
        SCOPED_TRACE(testing::Message() << "purge " << is_purge << " kind " << static_cast<int>(kind) << " at " << at);
        StoreLab lab;
        prepare(lab);
        FaultFileSystem faulty(lab.disk, {kind, at, kind == FaultPlan::fail_from ? ENOSPC : EIO});
        act(lab, faulty);
        for (const char* source : {"first", "second"}) {
          lab.write_source(source);
          lab.remove_outputs();
          bool hit = lab.ask(lab.disk) == Answer::hit;
          EXPECT_EQ(lab.outputs(), hit ? lab.outputs_of(source) : Files{}) << source;
        }
        lab.remove_outputs();
        lab.clock.advance_ms(8 * 24 * kHour);
        ASSERT_TRUE(collect(lab, lab.disk, tight()).ok());
        for (const char* dir : {"/cache/v1/blobs", "/cache/v1/entries", "/cache/v1/traces", "/cache/v1/tmp"}) {
          EXPECT_EQ(count_below(lab, dir), 0u) << dir;
        }
        EXPECT_TRUE(lab.leftovers().empty());
      }
    }
  }
}

// The same key published while it is evicted, on a real file system and without any grace: what is found is right.
TEST(CollectTest, publishers_evictors_and_readers_at_once) {
  char name[] = "/tmp/kache-crowd-XXXXXX";
  std::string root = ::mkdtemp(name);
  FileSystem& fs = posix_file_system();
  StoreLayout layout(root);
  ASSERT_TRUE(prepare_store(fs, layout).ok());
  BootId boot = read_boot_id(fs);
  ActionKey key{digest_bytes("key")};
  std::string bytes[2];
  for (int i = 0; i < 2; ++i) bytes[i].assign(20'000, static_cast<char>('a' + i));

  std::atomic<bool> stop = false;
  std::atomic<int> published = 0, hits = 0, wrong = 0, failed = 0, collections = 0;
  auto publisher = [&](int which) {
    BlobStore blobs(fs, layout, boot);
    std::string source = root + "/source" + std::to_string(which);
    for (int round = 0; round < 800; ++round) {
      (void)fs.unlink(source);
      if (!fs.create(source, bytes[which], 0644).ok()) continue;
      Result<Blob> blob = blobs.put(source, round % 2 == 0);
      if (!blob.ok()) {
        ++failed;
        continue;
      }
      Entry entry;
      entry.key = key;
      entry.crate_name = std::to_string(which);
      entry.stamp = stamp_now(system_clock(), boot);
      Output output;
      output.role = "link";
      output.name = "out";
      output.size = blob->size;
      output.blob = blob->id;
      entry.outputs.push_back(output);
      published += publish_entry(fs, layout, entry).ok();
    }
  };
  auto reader = [&] {
    BlobStore blobs(fs, layout, boot);
    while (!stop) {
      Result<std::string> file = read_file(fs, layout.entry(key), kMaxEntrySize);
      if (!file.ok()) continue;
      Result<Entry> entry = decode_entry(*file, key);
      if (!entry.ok()) {
        ++wrong;  // an entry is whole or absent
        continue;
      }
      Result<File> blob = blobs.open(entry->outputs[0].blob, entry->outputs[0].size, false);
      if (!blob.ok()) continue;
      Result<std::string> content = read_handle(fs, blob->handle(), 1 << 20);
      ++hits;
      wrong += !content.ok() || *content != bytes[entry->crate_name == "1"];
    }
  };
  auto evictor = [&] {
    Pace pace;
    GcLimits limits;
    limits.max_size = 1;
    limits.grace_ns = 0;
    while (!stop) {
      StoreIndex index = StoreIndex::open(fs, system_clock(), layout);
      collections += collect_garbage(fs, system_clock(), layout, index, limits, pace).ok();
    }
  };
  std::vector<std::thread> others;
  others.emplace_back(reader);
  others.emplace_back(evictor);
  std::thread first(publisher, 0), second(publisher, 1);
  first.join();
  second.join();
  stop = true;
  for (std::thread& thread : others) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(hits, 0);
  EXPECT_GT(collections, 1);
  EXPECT_GT(published, 1000);
  EXPECT_LT(failed, 160);
  // Nothing that was bad was found, and a collection leaves nothing behind.
  EXPECT_EQ(fs.list(layout.quarantine()).value().size(), 0u);
  EXPECT_EQ(fs.list(layout.temporary()).value().size(), 0u);
  (void)!::system(("rm -rf " + root).c_str());
}

}  // namespace
}  // namespace kache
