#include "remote/fetch_plan.h"

#include <gtest/gtest.h>

#include "tests/support/exchange_lab.h"
#include "tests/support/session_unit.h"

namespace kache {
namespace {

std::vector<std::string> names(const FetchPlan& plan) {
  std::vector<std::string> names;
  for (const SessionUnit& one : plan.units) names.push_back(one.crate_name);
  return names;
}

using Names = std::vector<std::string>;

class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    std::vector<Tier> one;
    one.push_back({std::make_unique<LentRemote>(remote_), true, true});
    tiers_ = std::make_unique<Tiers>(std::move(one), clock_);
  }
  void save(const std::string& branch, std::vector<SessionUnit> units, const std::string& space = "app") {
    clock_.advance_ms(1000);
    ASSERT_TRUE(save_session(*tiers_, {space, branch, clock_.wall_ns(), std::move(units)}, ++chance_, {}).ok());
  }
  FetchPlan plan(const std::string& branch, const PlanLimits& limits = {}) {
    return plan_fetch(machine_.disk, machine_.layout, *tiers_, {"app", branch}, limits, &trust_, {}).value();
  }

  Trust trust_;
  ManualClock clock_;
  FakeRemote remote_;
  Machine machine_{clock_};
  std::unique_ptr<Tiers> tiers_;
  uint64_t chance_ = 0;
};

TEST_F(PlanTest, the_newest_build_of_the_branch_comes_first_in_its_order) {
  save("main", {session_unit(1), session_unit(2)});
  save("main", {session_unit(3), session_unit(1)});
  FetchPlan made = plan("main");
  EXPECT_EQ(names(made), (Names{"unit3", "unit1", "unit2"}));
  EXPECT_EQ(made.sessions, 2u);
}

TEST_F(PlanTest, the_own_branch_goes_before_newer_builds_of_others) {
  save("topic", {session_unit(1)});
  save("main", {session_unit(2)});
  EXPECT_EQ(names(plan("topic")), (Names{"unit1", "unit2"}));
  EXPECT_EQ(names(plan("main")), (Names{"unit2", "unit1"}));
  EXPECT_EQ(names(plan("new")), (Names{"unit2", "unit1"}));  // nobody has built it: the others must do
}

TEST_F(PlanTest, so_many_builds_are_looked_at_and_no_more) {
  for (int i = 0; i < 6; ++i) save("main", {session_unit(i)});
  EXPECT_EQ(names(plan("main")), (Names{"unit5", "unit4", "unit3"}));
  EXPECT_EQ(remote_.asked(FakeRemote::get_call), 3u);
  EXPECT_EQ(plan("new").sessions, 3u);
}

TEST_F(PlanTest, other_projects_are_not_looked_at) {
  save("main", {session_unit(1)}, "app2");
  save("main", {session_unit(2)}, "ap");
  EXPECT_TRUE(plan("main").units.empty());
}

TEST_F(PlanTest, what_is_here_is_not_planned) {
  LabUnit here{"here", "one", {}};
  machine_.compile(here);
  SessionUnit known = session_unit(1);
  known.action = here.action();
  save("main", {known, session_unit(2)});
  FetchPlan made = plan("main");
  EXPECT_EQ(names(made), (Names{"unit2"}));
  EXPECT_EQ(made.known, 1u);
}

TEST_F(PlanTest, budgets_hold) {
  save("main", {session_unit(1, 60), session_unit(2, 60), session_unit(3, 30), session_unit(4, UINT64_MAX), session_unit(5, 10)});
  FetchPlan bytes = plan("main", {3, 0, 100});
  EXPECT_EQ(names(bytes), (Names{"unit1", "unit3", "unit5"}));
  EXPECT_EQ(bytes.over_budget, 2u);
  FetchPlan keys = plan("main", {3, 2, 0});
  EXPECT_EQ(names(keys), (Names{"unit1", "unit2"}));
  EXPECT_EQ(keys.over_budget, 3u);
  EXPECT_EQ(plan("main", {3, 0, 0}).units.size(), 5u);
}

TEST_F(PlanTest, damaged_and_foreign_sessions_are_passed_over) {
  save("main", {session_unit(1)});
  std::string good = save_session(*tiers_, {"app", "main", clock_.wall_ns(), {session_unit(2)}}, 99, {}).value();
  std::string bytes = remote_.bytes_of(ObjectName::session("app", good)).value();
  remote_.set(ObjectName::session("app", "0000000001-1"), "garbage");
  remote_.set(ObjectName::session("app", "0000000002-1"), bytes);  // of another name
  FetchPlan made = plan("main");
  EXPECT_EQ(made.sessions, 2u);
  EXPECT_EQ(made.units.size(), 2u);
}

TEST_F(PlanTest, a_remote_that_can_not_list_is_an_error) {
  remote_.fail_next(FakeRemote::list_call, {ErrorCode::io, 0, "planned"});
  EXPECT_EQ(plan_fetch(machine_.disk, machine_.layout, *tiers_, {"app", "main"}, {}, nullptr, {}).code(), ErrorCode::io);
}

}  // namespace
}  // namespace kache
