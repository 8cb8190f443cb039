#include <gtest/gtest.h>

#include <errno.h>

#include "remote/compress.h"
#include "tests/support/exchange_lab.h"
#include "tests/support/fault_file_system.h"

namespace kache {
namespace {

const std::string kShared = noise(300 << 10, 7);
const LabUnit kOne{"one", "a", {{"libone.rlib", noise(2 << 20, 1)}, {"libone.rmeta", "metadata of one"}}, "what one was made of"};
const LabUnit kTwo{"two", "b", {{"libtwo.rlib", noise(5000, 2)}, {"shared", kShared}, {"empty", ""}}};
const LabUnit kThree{"three", "c", {{"libthree.rlib", noise(5000, 3)}, {"shared", kShared}}};
const std::vector<LabUnit> kAll = {kOne, kTwo, kThree};

class PacksTest : public testing::Test {
 protected:
  PacksTest() {
    for (const LabUnit& unit : kAll) here_.compile(unit);
  }
  std::unique_ptr<Tiers> tiers_of(std::vector<Remote*> remotes) {
    std::vector<Tier> tiers;
    for (Remote* remote : remotes) tiers.push_back({std::make_unique<LentRemote>(*remote), true, true});
    return std::make_unique<Tiers>(std::move(tiers), clock_);
  }
  static std::vector<PackedUnit> named(const std::vector<LabUnit>& units) {
    std::vector<PackedUnit> named;
    for (const LabUnit& unit : units) named.push_back({unit.invocation(), unit.action()});
    return named;
  }
  Result<PublishedPack> publish(FileSystem& disk, const std::vector<LabUnit>& units) {
    std::unique_ptr<Tiers> tiers = tiers_of({&remote_});
    return Exchange(disk, clock_, here_.layout, here_.boot, *tiers, settings_).publish_pack(named(units), {});
  }
  PackRef packed(const std::vector<LabUnit>& units) {
    PublishedPack made = publish(here_.disk, units).value();
    EXPECT_EQ(made.units.size(), units.size());
    EXPECT_EQ(made.looked_at, units.size());
    return made.pack;
  }
  Status fetch(FileSystem& disk, const PackRef& pack, std::vector<Remote*> remotes) {
    std::unique_ptr<Tiers> tiers = tiers_of(remotes);
    arrived_.clear();
    Exchange exchange(disk, clock_, there_.layout, there_.boot, *tiers, settings_);
    Status done = exchange.fetch_pack(pack, {}, [&](const ActionKey& action) { arrived_.push_back(action); });
    is_local_ = exchange.is_local();
    return done;
  }
  Status fetch(const PackRef& pack) { return fetch(there_.disk, pack, {&remote_}); }
  std::vector<ActionKey> keys(const std::vector<LabUnit>& units) {
    std::vector<ActionKey> keys;
    for (const LabUnit& unit : units) keys.push_back(unit.action());
    return keys;
  }
  // A pack with these unpacked bytes.
  PackRef planted(const std::string& plain) {
    std::string bytes = compress(plain, 3);
    PackRef pack{digest_bytes(bytes), {}, bytes.size(), plain.size(), plain.size()};
    remote_.set(ObjectName::pack(pack.name), bytes);
    return pack;
  }
  std::string plain_of(const PackRef& pack) { return decompress(remote_.bytes_of(ObjectName::pack(pack.name)).value(), kMaxPackOriginal).value(); }

  ManualClock clock_;
  FakeRemote remote_, far_{"far"};
  ExchangeSettings settings_;
  Machine here_{clock_}, there_{clock_};
  std::vector<ActionKey> arrived_;
  bool is_local_ = false;
};

TEST_F(PacksTest, all_results_are_the_same_on_another_machine_with_one_request) {
  PackRef pack = packed(kAll);
  size_t before = remote_.asked();
  ASSERT_TRUE(fetch(pack).ok());
  EXPECT_EQ(remote_.asked() - before, 1u);
  EXPECT_EQ(arrived_, keys(kAll));
  for (const LabUnit& unit : kAll) {
    std::optional<Entry> entry = there_.entry(unit.action());
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->outputs, unit.entry().outputs);
    EXPECT_EQ(entry->origin, settings_.origin);
    for (const auto& [name, bytes] : unit.outputs) EXPECT_TRUE(there_.blob(bytes) == bytes) << name;
    Traces traces = there_.traces(unit.invocation());
    ASSERT_EQ(traces.candidates.size(), 1u);
    EXPECT_EQ(traces.set_of(traces.candidates[0]), unit.inputs());
    EXPECT_EQ(traces.crate_name, unit.name);
  }
  EXPECT_EQ(origin_of(there_.disk, there_.layout, digest_bytes(kOne.outputs.begin()->second)), digest_bytes("what one was made of"));
  EXPECT_EQ(there_.problem(), "");
}

TEST_F(PacksTest, what_two_units_have_is_in_it_once_and_what_repeats_costs_little) {
  PackRef pack = packed({kTwo, kThree});
  EXPECT_LT(pack.original_bytes, 2 * kShared.size());
  LabUnit again = kOne;  // like a second build script: most of it is in the first one
  again.name = "again";
  again.outputs = {{"other", kOne.outputs.at("libone.rlib") + "and something else"}};
  here_.compile(again);
  EXPECT_LT(packed({kOne, again}).bytes, (2u << 20) + (200u << 10));
}

TEST_F(PacksTest, what_is_here_is_left_as_it_is_and_arrives_all_the_same) {
  PackRef pack = packed(kAll);
  there_.compile(kTwo);
  ASSERT_TRUE(fetch(pack).ok());
  EXPECT_EQ(arrived_, keys(kAll));
  EXPECT_EQ(there_.entry(kTwo.action())->origin, EntryOrigin::compiled);
  ASSERT_TRUE(fetch(pack).ok());
  EXPECT_EQ(arrived_, keys(kAll));
  EXPECT_EQ(there_.problem(), "");
}

TEST_F(PacksTest, a_damaged_blob_is_replaced_by_what_is_in_the_pack) {
  PackRef pack = packed(kAll);
  there_.compile(kOne);
  const std::string& good = kOne.outputs.at("libone.rlib");
  std::string path = there_.layout.blob({digest_bytes(good)});
  ASSERT_TRUE(there_.disk.unlink(path).ok() && there_.disk.unlink(there_.layout.entry(kOne.action())).ok());
  ASSERT_TRUE(there_.disk.create(path, noise(good.size(), 99), 0444).ok());
  ASSERT_TRUE(fetch(pack).ok());
  EXPECT_EQ(arrived_, keys(kAll));
  EXPECT_EQ(read_file(there_.disk, path, 4 << 20).value(), good);
  EXPECT_EQ(there_.problem(), "");
}

TEST_F(PacksTest, the_same_pack_is_sent_once) {
  PackRef first = packed(kAll);
  size_t puts = remote_.asked(FakeRemote::put_call);
  PackRef second = packed(kAll);
  EXPECT_EQ(first.name, second.name);
  EXPECT_EQ(remote_.asked(FakeRemote::put_call), puts);
}

TEST_F(PacksTest, units_that_can_not_be_packed_are_left_out) {
  LabUnit never_compiled{"never", "x", {{"lib", "never"}}};
  LabUnit damaged{"damaged", "x", {{"lib", "was whole"}}};
  here_.compile(damaged);
  here_.disk.overwrite(here_.layout.blob({digest_bytes("was whole")}), "was  hole");
  PublishedPack made = publish(here_.disk, {never_compiled, kTwo, damaged, kThree}).value();
  EXPECT_EQ(made.looked_at, 4u);
  EXPECT_EQ(made.units, (std::set<ActionKey>{kTwo.action(), kThree.action()}));
  ASSERT_TRUE(fetch(made.pack).ok());
  EXPECT_EQ(arrived_, keys({kTwo, kThree}));
  PublishedPack none = publish(here_.disk, {never_compiled}).value();
  EXPECT_TRUE(none.units.empty());
  EXPECT_EQ(remote_.size(), 1u);
}

TEST_F(PacksTest, signatures_are_demanded_of_what_is_inside) {
  SigningKey good = SigningKey::generate(), bad = SigningKey::generate();
  settings_.signer = &bad;
  PackRef foreign = packed(kAll);
  EXPECT_EQ(foreign.signer, bad.public_key());
  settings_.signer = &good;
  PackRef own = packed(kAll);
  EXPECT_NE(own.name, foreign.name);
  settings_.trust = {{good.public_key()}, true};
  EXPECT_EQ(fetch(foreign).code(), ErrorCode::denied);
  EXPECT_TRUE(arrived_.empty());
  for (const LabUnit& unit : kAll) EXPECT_FALSE(there_.has(unit));
  ASSERT_TRUE(fetch(own).ok());
  EXPECT_EQ(arrived_.size(), 3u);
  EXPECT_EQ(there_.problem(), "");
}

TEST_F(PacksTest, every_damaged_byte_is_noticed_or_changes_nothing) {
  PackRef pack = packed({kTwo, kThree});
  std::string plain = plain_of(pack);
  for (size_t at = 0; at < plain.size(); at += 997) {
    std::string wrong = plain;
    wrong[at] = static_cast<char>(wrong[at] ^ 0x20);
    Machine machine(clock_);
    std::unique_ptr<Tiers> tiers = tiers_of({&remote_});
    Exchange exchange(machine.disk, clock_, machine.layout, machine.boot, *tiers, settings_);
    (void)exchange.fetch_pack(planted(wrong), {}, [](const ActionKey&) {});
    EXPECT_EQ(machine.problem(), "") << at;
  }
}

TEST_F(PacksTest, a_pack_that_is_cut_off_brings_what_was_whole) {
  PackRef pack = packed(kAll);
  std::string plain = plain_of(pack);
  PackRef cut = planted(plain.substr(0, plain.size() - 100));
  EXPECT_EQ(fetch(cut).code(), ErrorCode::corrupt);
  EXPECT_FALSE(is_local_);
  EXPECT_EQ(arrived_, keys({kOne, kTwo}));
  EXPECT_EQ(there_.problem(), "");
}

TEST_F(PacksTest, what_is_larger_than_announced_is_not_unpacked) {
  std::string bomb = pack_head() + encode_pack_item({PackItem::blob, digest_bytes("x"), 60 << 20}) + std::string(60 << 20, '\0');
  PackRef pack = planted(bomb);
  pack.original_bytes = 1000;
  EXPECT_EQ(fetch(pack).code(), ErrorCode::too_large);
  EXPECT_EQ(there_.problem(), "");
  PackRef huge = planted(pack_head() + encode_pack_item({PackItem::blob, digest_bytes("x"), kMaxPackedBlob + 1}));
  EXPECT_EQ(fetch(huge).code(), ErrorCode::too_large);
  PackRef record = planted(pack_head() + encode_pack_item({PackItem::record, digest_bytes("x"), kMaxRemoteObject + 1}));
  EXPECT_EQ(fetch(record).code(), ErrorCode::too_large);
}

TEST_F(PacksTest, a_result_without_its_outputs_is_refused) {
  PackRef pack = packed({kTwo});
  std::string plain = plain_of(pack);
  size_t record = plain.find(encode_pack_item({PackItem::record, kTwo.action().digest, 0}).substr(0, 33));
  ASSERT_NE(record, std::string::npos);
  EXPECT_EQ(fetch(planted(pack_head() + plain.substr(record))).code(), ErrorCode::corrupt);
  EXPECT_FALSE(there_.has(kTwo));
  EXPECT_EQ(there_.problem(), "");
}

TEST_F(PacksTest, what_is_wrong_in_one_remote_comes_from_the_next) {
  PackRef pack = packed(kAll);
  far_.set(ObjectName::pack(pack.name), remote_.bytes_of(ObjectName::pack(pack.name)).value());
  std::string damaged = remote_.bytes_of(ObjectName::pack(pack.name)).value();
  remote_.set(ObjectName::pack(pack.name), damaged.substr(0, damaged.size() / 2));
  EXPECT_TRUE(fetch(there_.disk, pack, {&remote_, &far_}).ok());
  for (const LabUnit& unit : kAll) EXPECT_TRUE(there_.has(unit));
  EXPECT_EQ(there_.problem(), "");
}

TEST_F(PacksTest, a_disk_that_fails_at_any_step_leaves_what_is_whole) {
  PackRef pack = packed({kTwo, kThree});
  uint64_t steps = [&] {
    Machine machine(clock_);
    FaultFileSystem counted(machine.disk, {});
    std::unique_ptr<Tiers> tiers = tiers_of({&remote_});
    Exchange exchange(counted, clock_, machine.layout, machine.boot, *tiers, settings_);
    EXPECT_TRUE(exchange.fetch_pack(pack, {}, [](const ActionKey&) {}).ok());
    return counted.mutations();
  }();
  ASSERT_GT(steps, 10u);
  for (FaultPlan::Kind kind : {FaultPlan::fail, FaultPlan::fail_from, FaultPlan::kill, FaultPlan::torn}) {
    for (uint64_t at = 1; at <= steps; ++at) {
      Machine machine(clock_);
      FaultFileSystem faulty(machine.disk, {kind, at, kind == FaultPlan::fail_from ? ENOSPC : EIO});
      std::unique_ptr<Tiers> tiers = tiers_of({&remote_});
      Exchange exchange(faulty, clock_, machine.layout, machine.boot, *tiers, settings_);
      (void)exchange.fetch_pack(pack, {}, [](const ActionKey&) {});
      bool is_dead = kind == FaultPlan::kill || kind == FaultPlan::torn;
      EXPECT_EQ(machine.problem(is_dead), "") << kind << " at " << at << ": " << faulty.victim();
    }
  }
}

TEST_F(PacksTest, a_disk_that_fails_while_packing_sends_nothing_that_is_wrong) {
  FaultFileSystem counted(here_.disk, {});
  ASSERT_TRUE(publish(counted, {kTwo, kThree}).ok());
  for (uint64_t at = 1; at <= counted.mutations(); ++at) {
    FaultFileSystem faulty(here_.disk, {FaultPlan::fail_from, at, ENOSPC});
    (void)publish(faulty, {kThree, kTwo});
    EXPECT_EQ(here_.problem(), "") << at;
  }
  for (const FakeRemote::Request& request : remote_.requests()) {
    if (request.call != FakeRemote::put_call) continue;
    ObjectName name = ObjectName::parse(request.name).value();
    EXPECT_EQ(digest_bytes(remote_.bytes_of(name).value()), name.digest());
  }
}

}  // namespace
}  // namespace kache
