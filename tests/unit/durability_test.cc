// What a power cut leaves: at every moment of a publish and for every way in which content is lost, the unit is found as
// it was or not at all.
#include "store/durability.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/forwarding_file_system.h"
#include "tests/unit/store_lab.h"

namespace kache {
namespace {

using Answer = StoreLab::Answer;
constexpr Loss kLosses[] = {Loss::emptied, Loss::truncated, Loss::zeroed, Loss::garbage};

BootId boot(int number) { return parse_boot_id(kBoots[number]); }

TEST(BootTest, only_a_known_id_equals_itself) {
  EXPECT_TRUE(same_boot(boot(0), parse_boot_id(std::string(kBoots[0]) + "\n")));
  EXPECT_FALSE(same_boot(boot(0), boot(1)));
  for (const char* text : {"", "x", "0000000", "00000000-0000-0000-0000-0000000000012", "00000000-0000-0000-0000-00000000000G"}) {
    EXPECT_FALSE(parse_boot_id(text).is_known()) << text;
  }
  EXPECT_FALSE(same_boot(BootId{}, BootId{}));
}

TEST(DurabilityTest, an_entry_of_this_boot_is_believed_without_reading) {
  StoreLab lab;
  ASSERT_TRUE(lab.publish(lab.disk).ok());
  lab.remove_outputs();
  ASSERT_EQ(lab.ask(lab.disk), Answer::hit);
  EXPECT_FALSE(lab.was_verified);
  EXPECT_EQ(lab.outputs(), lab.outputs_of("first"));
}

TEST(DurabilityTest, an_entry_of_another_boot_is_read_once) {
  StoreLab lab;
  ASSERT_TRUE(lab.publish(lab.disk).ok());
  lab.reboot(1);
  ASSERT_EQ(lab.ask(lab.disk), Answer::hit);
  EXPECT_TRUE(lab.was_verified);
  ASSERT_EQ(lab.ask(lab.disk), Answer::hit);
  EXPECT_FALSE(lab.was_verified);
}

TEST(DurabilityTest, what_a_mark_covers_survives_and_needs_no_reading) {
  for (Loss loss : kLosses) {
    StoreLab lab;
    ASSERT_TRUE(lab.publish(lab.disk).ok());
    lab.clock.advance_ms(10);
    ASSERT_TRUE(sync_store(lab.disk, lab.clock, lab.layout, boot(0)).ok());
    lab.crash(loss, 1);
    lab.remove_outputs();
    ASSERT_EQ(lab.ask(lab.disk), Answer::hit);
    EXPECT_FALSE(lab.was_verified);
    EXPECT_EQ(lab.outputs(), lab.outputs_of("first"));
  }
}

TEST(DurabilityTest, what_came_after_the_mark_is_not_believed) {
  for (Loss loss : kLosses) {
    StoreLab lab;
    ASSERT_TRUE(sync_store(lab.disk, lab.clock, lab.layout, boot(0)).ok());
    lab.clock.advance_ms(10);
    ASSERT_TRUE(lab.publish(lab.disk).ok());
    // Entry and traces arrive, the blobs do not: the worst order that a disk can choose.
    for (const auto& [path, bytes] : lab.disk.files_below("/cache/v1")) {
      if (path.find("/blobs/") == std::string::npos) (void)lab.disk.sync(path);
    }
    lab.crash(loss, 1);
    std::string why;
    EXPECT_EQ(lab.ask(lab.disk, &why), Answer::miss);
    EXPECT_NE(why.find("blob"), std::string::npos) << why;
    // The bad blobs are out of the way, and the next compile heals the store.
    ASSERT_TRUE(lab.publish(lab.disk).ok());
    lab.remove_outputs();
    ASSERT_EQ(lab.ask(lab.disk), Answer::hit);
    EXPECT_EQ(lab.outputs(), lab.outputs_of("first"));
  }
}

TEST(DurabilityTest, a_publish_does_not_rely_on_a_blob_that_lost_its_content) {
  for (Loss loss : kLosses) {
    StoreLab lab;
    ASSERT_TRUE(lab.publish(lab.disk).ok());
    lab.crash(loss, 1);
    // Nobody has asked, so the blobs are still there: the same compile finds them in its way.
    Result<CommitReport> report = lab.publish(lab.disk);
    ASSERT_TRUE(report.ok());
    lab.remove_outputs();
    ASSERT_EQ(lab.ask(lab.disk), Answer::hit);
    EXPECT_EQ(lab.outputs(), lab.outputs_of("first"));
  }
}

TEST(DurabilityTest, a_power_cut_at_any_moment_of_a_publish_gives_the_old_result_the_new_one_or_none) {
  uint64_t operations = 0;
  {
    StoreLab lab;
    ASSERT_TRUE(lab.publish(lab.disk).ok());
    lab.write_source("second");
    FaultFileSystem counted(lab.disk, {});
    ASSERT_TRUE(lab.publish(counted).ok());
    operations = counted.mutations();
  }
  for (Loss loss : kLosses) {
    for (bool synced_first : {true, false}) {
      for (uint64_t at = 1; at <= operations + 1; ++at) {
        SCOPED_TRACE(testing::Message() << "cut " << at << " of " << operations << ", loss " << static_cast<int>(loss));
        StoreLab lab;
        ASSERT_TRUE(lab.publish(lab.disk).ok());
        lab.clock.advance_ms(10);
        ASSERT_TRUE(!synced_first || sync_store(lab.disk, lab.clock, lab.layout, boot(0)).ok());
        lab.write_source("second");
        FaultFileSystem dying(lab.disk, {FaultPlan::kill, at, 0});
        (void)lab.publish(dying);
        lab.crash(loss, 1);
        for (const char* source : {"second", "first"}) {
          lab.write_source(source);
          lab.remove_outputs();
          bool hit = lab.ask(lab.disk) == Answer::hit;
          EXPECT_TRUE(!hit || lab.outputs() == lab.outputs_of(source));
          // And afterwards all is as it should be.
          ASSERT_TRUE(lab.publish(lab.disk).ok());
          lab.remove_outputs();
          ASSERT_EQ(lab.ask(lab.disk), Answer::hit);
          EXPECT_EQ(lab.outputs(), lab.outputs_of(source));
        }
      }
    }
  }
}

TEST(DurabilityTest, a_power_cut_at_any_moment_of_a_sync_leaves_a_mark_that_is_true) {
  for (Loss loss : kLosses) {
    for (uint64_t at = 1; at <= 8; ++at) {
      StoreLab lab;
      ASSERT_TRUE(lab.publish(lab.disk).ok());
      lab.clock.advance_ms(10);
      FaultFileSystem dying(lab.disk, {FaultPlan::torn, at, 0});
      (void)sync_store(dying, lab.clock, lab.layout, boot(0));
      lab.crash(loss, 1);
      lab.remove_outputs();
      bool hit = lab.ask(lab.disk) == Answer::hit;
      EXPECT_TRUE(!hit || lab.outputs() == lab.outputs_of("first"));
    }
  }
}

TEST(DurabilityTest, an_unknown_boot_is_never_believed_and_still_served) {
  StoreLab lab;
  (void)lab.disk.unlink(kBootIdPath);
  ASSERT_TRUE(lab.publish(lab.disk).ok());
  ASSERT_TRUE(sync_store(lab.disk, lab.clock, lab.layout, BootId{}).ok());
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(lab.ask(lab.disk), Answer::hit);
    EXPECT_TRUE(lab.was_verified);
  }
}

TEST(DurabilityTest, a_mark_that_is_torn_or_foreign_covers_nothing) {
  StoreLab lab;
  Stamp stamp = stamp_now(lab.clock, boot(0));
  ASSERT_TRUE(sync_store(lab.disk, lab.clock, lab.layout, boot(0)).ok());
  EXPECT_TRUE(is_certain(lab.disk, lab.layout, stamp, boot(1)));
  std::string mark = read_file(lab.disk, lab.layout.sync_mark(), 1000).value();
  for (size_t i = 0; i < mark.size(); ++i) {
    std::string flipped = mark;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    lab.disk.overwrite(lab.layout.sync_mark(), flipped);
    EXPECT_FALSE(is_certain(lab.disk, lab.layout, stamp, boot(1))) << i;
    lab.disk.overwrite(lab.layout.sync_mark(), std::string_view(mark).substr(0, i));
    EXPECT_FALSE(is_certain(lab.disk, lab.layout, stamp, boot(1))) << i;
  }
}

TEST(DurabilityTest, a_mark_remembers_other_boots_and_forgets_the_oldest) {
  StoreLab lab;
  Stamp stamp = stamp_now(lab.clock, boot(0));
  ASSERT_TRUE(sync_store(lab.disk, lab.clock, lab.layout, boot(0)).ok());
  auto numbered = [](size_t n) {
    BootId id;
    id.bytes = {0xff, static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n)};
    return id;
  };
  for (size_t i = 0; i + 1 < kMaxMarkedBoots; ++i) ASSERT_TRUE(sync_store(lab.disk, lab.clock, lab.layout, numbered(i)).ok());
  EXPECT_TRUE(is_certain(lab.disk, lab.layout, stamp, boot(1)));
  ASSERT_TRUE(sync_store(lab.disk, lab.clock, lab.layout, numbered(kMaxMarkedBoots)).ok());
  EXPECT_FALSE(is_certain(lab.disk, lab.layout, stamp, boot(1)));
}

TEST(DurabilityTest, a_failed_sync_marks_nothing) {
  for (uint64_t at = 1; at <= 6; ++at) {
    StoreLab lab;
    Stamp stamp = stamp_now(lab.clock, boot(0));
    FaultFileSystem failing(lab.disk, {FaultPlan::fail, at, 5});
    bool ok = sync_store(failing, lab.clock, lab.layout, boot(0)).ok();
    if (failing.victim().starts_with("sync_all")) {
      EXPECT_FALSE(ok);
      EXPECT_FALSE(is_certain(lab.disk, lab.layout, stamp, boot(1)));
    }
    EXPECT_TRUE(lab.leftovers().empty());
  }
}

// Counts syncs and lets others come while one is under way.
class SlowDisk final : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  std::atomic<int> syncs = 0;
  Status sync_all(const std::string& path) override {
    ++syncs;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return inner_.sync_all(path);
  }
};

TEST(DurabilityTest, a_crowd_shares_its_syncs) {
  StoreLab lab;
  SlowDisk slow(lab.disk);
  std::vector<std::thread> crowd;
  std::atomic<int> done = 0;
  for (int i = 0; i < 20; ++i) {
    crowd.emplace_back([&] { done += sync_store(slow, system_clock(), lab.layout, boot(0)).ok(); });
  }
  for (std::thread& thread : crowd) thread.join();
  EXPECT_EQ(done, 20);
  EXPECT_LE(slow.syncs, 3);  // the first, and one that began when all had come
}

}  // namespace
}  // namespace kache
