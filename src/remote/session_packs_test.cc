#include "remote/session_packs.h"

#include <gtest/gtest.h>

#include "remote/fetch_plan.h"
#include "tests/support/exchange_lab.h"

namespace kache {
namespace {

LabUnit lab(int number, const std::string& source = "one") {
  return {"unit" + std::to_string(number), source, {{"lib", noise(1000, static_cast<unsigned>(number)) + source}}};
}

class SessionPacksTest : public testing::Test {
 protected:
  SessionPacksTest() {
    std::vector<Tier> one;
    one.push_back({std::make_unique<LentRemote>(remote_), true, true});
    tiers_ = std::make_unique<Tiers>(std::move(one), clock_);
  }
  RecordedSession session_of(const std::vector<LabUnit>& units) {
    RecordedSession session{"app", "main", clock_.wall_ns(), {}};
    for (const LabUnit& unit : units) {
      here_.compile(unit);
      session.units.push_back({unit.invocation(), unit.action(), unit.name, 10, unit.outputs.begin()->second.size()});
    }
    return session;
  }
  SavedSession save(const std::vector<LabUnit>& units, bool with_packs = true) {
    clock_.advance_ms(1000);
    Exchange exchange(here_.disk, clock_, here_.layout, here_.boot, *tiers_, settings_);
    return publish_session(exchange, *tiers_, session_of(units), ++chance_, with_packs, {}).value();
  }
  FetchPlan plan(const PlanLimits& limits = {}) { return plan_fetch(there_.disk, there_.layout, *tiers_, {"app", "main"}, limits, &settings_.trust, {}).value(); }
  static std::vector<LabUnit> units(int first, int last) {
    std::vector<LabUnit> units;
    for (int i = first; i <= last; ++i) units.push_back(lab(i));
    return units;
  }
  size_t packs() const {
    std::vector<FakeRemote::Request> requests = remote_.requests();
    return static_cast<size_t>(std::count_if(requests.begin(), requests.end(), [](const FakeRemote::Request& one) {
      return one.call == FakeRemote::put_call && one.name.starts_with(kind_prefix(ObjectKind::pack));
    }));
  }

  ManualClock clock_;
  FakeRemote remote_;
  ExchangeSettings settings_;
  Machine here_{clock_}, there_{clock_};
  std::unique_ptr<Tiers> tiers_;
  uint64_t chance_ = 0;
};

TEST_F(SessionPacksTest, a_build_is_one_pack_for_the_next_machine) {
  SavedSession saved = save(units(1, 20));
  EXPECT_EQ(saved.new_packs, 1u);
  EXPECT_EQ(saved.packed_units, 20u);
  FetchPlan made = plan();
  ASSERT_EQ(made.packs.size(), 1u);
  EXPECT_EQ(made.packs[0].units.size(), 20u);
  EXPECT_TRUE(made.units.empty());
  EXPECT_EQ(made.count(), 20u);
  Exchange exchange(there_.disk, clock_, there_.layout, there_.boot, *tiers_, settings_);
  EXPECT_TRUE(exchange.fetch_pack(made.packs[0].pack, {}, [](const ActionKey&) {}).ok());
  for (const LabUnit& unit : units(1, 20)) EXPECT_TRUE(there_.has(unit));
}

TEST_F(SessionPacksTest, the_next_build_packs_only_what_is_new) {
  save(units(1, 20));
  std::vector<LabUnit> next = units(1, 18);
  for (int i = 30; i < 40; ++i) next.push_back(lab(i));
  SavedSession saved = save(next);
  EXPECT_EQ(saved.new_packs, 1u);
  EXPECT_EQ(saved.packed_units, 28u);
  EXPECT_EQ(packs(), 2u);
  FetchPlan made = plan({1, 0, 0});
  ASSERT_EQ(made.packs.size(), 2u);
  EXPECT_EQ(made.packs[0].units.size(), 18u);
  EXPECT_EQ(made.packs[1].units.size(), 10u);
}

TEST_F(SessionPacksTest, a_few_new_results_are_not_packed) {
  save(units(1, 20));
  std::vector<LabUnit> next = units(1, 19);
  next.push_back(lab(20, "edited"));
  SavedSession saved = save(next);
  EXPECT_EQ(saved.new_packs, 0u);
  EXPECT_EQ(saved.packed_units, 19u);
  FetchPlan made = plan({1, 0, 0});
  EXPECT_EQ(made.packs.size(), 1u);
  ASSERT_EQ(made.units.size(), 1u);
  EXPECT_EQ(made.units[0].crate_name, "unit20");
}

TEST_F(SessionPacksTest, what_does_not_fit_into_a_pack_is_in_another_one_however_little) {
  std::vector<LabUnit> build = units(1, 8);
  build.push_back({"large", "one", {{"program", noise(kPackTarget)}}});
  build.push_back(lab(9));
  SavedSession saved = save(build);
  EXPECT_EQ(saved.new_packs, 2u);
  EXPECT_EQ(saved.packed_units, 10u);
}

TEST_F(SessionPacksTest, a_pack_that_is_mostly_stale_is_made_anew) {
  save(units(1, 20));
  std::vector<LabUnit> next = units(1, 5);
  for (int i = 6; i <= 20; ++i) next.push_back(lab(i, "edited"));
  SavedSession saved = save(next);
  EXPECT_EQ(saved.new_packs, 1u);
  EXPECT_EQ(saved.packed_units, 20u);
  FetchPlan made = plan({1, 0, 0});
  ASSERT_EQ(made.packs.size(), 1u);
  EXPECT_EQ(made.packs[0].units.size(), 20u);
}

TEST_F(SessionPacksTest, a_pack_of_which_little_is_lacking_is_not_fetched) {
  save(units(1, 20));
  for (const LabUnit& unit : units(1, 15)) there_.compile(unit);
  FetchPlan made = plan();
  EXPECT_TRUE(made.packs.empty());
  EXPECT_EQ(made.units.size(), 5u);
  EXPECT_EQ(made.known, 15u);
}

TEST_F(SessionPacksTest, packs_are_within_the_budget) {
  save(units(1, 20));
  EXPECT_TRUE(plan({3, 10, 0}).packs.empty());
  EXPECT_EQ(plan({3, 10, 0}).units.size(), 10u);
  FetchPlan bytes = plan({3, 0, 5000});
  EXPECT_TRUE(bytes.packs.empty());
  EXPECT_EQ(bytes.units.size(), 4u);
  EXPECT_EQ(bytes.over_budget, 16u);
}

TEST_F(SessionPacksTest, packs_of_others_are_not_fetched_where_signatures_are_required) {
  save(units(1, 20));
  SigningKey key = SigningKey::generate();
  settings_.trust = {{key.public_key()}, true};
  EXPECT_TRUE(plan().packs.empty());
  EXPECT_EQ(plan().units.size(), 20u);
  settings_.signer = &key;
  save(units(101, 120));
  ASSERT_EQ(plan().packs.size(), 1u);
  EXPECT_EQ(plan().packs[0].units[0].crate_name, "unit101");
}

TEST_F(SessionPacksTest, without_packs_it_is_kept_all_the_same) {
  EXPECT_EQ(save(units(1, 20), false).packed_units, 0u);
  remote_.largest = 1 << 20;
  EXPECT_EQ(save(units(1, 20)).packed_units, 0u);
  EXPECT_EQ(packs(), 0u);
  remote_.largest = 0;
  remote_.fail_next(FakeRemote::put_call, {ErrorCode::no_space, 0, "planned"});
  SavedSession saved = save(units(1, 20));
  EXPECT_EQ(saved.problem, "planned");
  EXPECT_EQ(saved.packed_units, 0u);
  EXPECT_EQ(plan().units.size(), 20u);
}

TEST_F(SessionPacksTest, not_more_packs_are_kept_than_are_of_use) {
  RecordedSession earlier{"app", "main", 1, {}}, now{"app", "main", 2, {}};
  for (uint32_t pack = 1; pack <= 100; ++pack) {
    LabUnit unit = lab(static_cast<int>(pack));
    uint64_t size = 1000 + pack;
    earlier.packs.push_back({digest_bytes(unit.name), {}, 10, size, size});
    earlier.units.push_back({unit.invocation(), unit.action(), unit.name, 1, size, 0, pack});
    now.units.push_back({unit.invocation(), unit.action(), unit.name, 1, size});
  }
  keep_packs(earlier, now);
  ASSERT_EQ(now.packs.size(), kMostKeptPacks);
  EXPECT_EQ(now.packs[0].name, earlier.packs[100 - kMostKeptPacks].name);
  EXPECT_EQ(now.units[99].pack, kMostKeptPacks);
  EXPECT_EQ(now.units[0].pack, 0u);
}

}  // namespace
}  // namespace kache
