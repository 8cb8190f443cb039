// Every change that a stage makes fails once, fails for lack of space from there on, or is the last that the process does.
// Afterwards, with a sound disk: what is found is the old result or the new one, byte for byte, and nothing lies about.
#include <errno.h>
#include <gtest/gtest.h>

#include <functional>

#include "index/events.h"
#include "tests/unit/store_lab.h"
#include "wrapper/event_log.h"

namespace kache {
namespace {

using Answer = StoreLab::Answer;

std::string name_of(const FaultPlan& plan) {
  static constexpr const char* kKinds[] = {"none", "fail", "no space from", "kill at", "torn at"};
  return std::string(kKinds[plan.kind]) + " " + std::to_string(plan.at);
}

bool process_died(const FaultPlan& plan) { return plan.kind == FaultPlan::kill || plan.kind == FaultPlan::torn; }

// Files on their way stay behind only where nobody could take them away.
void expect_tidy(StoreLab& lab, const FaultPlan& plan, const std::string& victim) {
  if (process_died(plan) || victim.starts_with("unlink")) return;
  EXPECT_EQ(lab.leftovers(), std::vector<std::string>{});
}

// Runs `act` once for every plan, each time in a new lab that `prepare` has brought into its state; then `check`.
struct Scenario {
  std::function<void(StoreLab&)> prepare;
  std::function<void(StoreLab&, FileSystem&)> act;
  std::function<void(StoreLab&, const FaultPlan&, const std::string& victim)> check;
};

void run_all(const Scenario& scenario) {
  uint64_t operations = 0;
  {
    StoreLab lab;
    scenario.prepare(lab);
    FaultFileSystem counted(lab.disk, {});
    scenario.act(lab, counted);
    operations = counted.mutations();
  }
  ASSERT_GT(operations, 0u);
  for (FaultPlan::Kind kind : {FaultPlan::fail, FaultPlan::fail_from, FaultPlan::kill, FaultPlan::torn}) {
    for (uint64_t at = 1; at <= operations; ++at) {
      FaultPlan plan{kind, at, kind == FaultPlan::fail_from ? ENOSPC : EIO};
      StoreLab lab;
      scenario.prepare(lab);
      FaultFileSystem faulty(lab.disk, plan);
      scenario.act(lab, faulty);
      SCOPED_TRACE(name_of(plan) + ": " + faulty.victim());
      EXPECT_TRUE(faulty.fired());
      scenario.check(lab, plan, faulty.victim());
      if (testing::Test::HasFailure()) return;
    }
  }
}

void expect_sound(StoreLab& lab, const std::string& source) {
  lab.write_source(source);
  lab.remove_outputs();
  bool hit = lab.ask(lab.disk) == Answer::hit;
  EXPECT_EQ(lab.outputs(), hit ? lab.outputs_of(source) : Files{}) << source;
}

// Publishing once more succeeds and is found.
void expect_heals(StoreLab& lab, const std::string& source) {
  lab.write_source(source);
  ASSERT_TRUE(lab.publish(lab.disk).ok());
  lab.remove_outputs();
  ASSERT_EQ(lab.ask(lab.disk), Answer::hit);
  EXPECT_EQ(lab.outputs(), lab.outputs_of(source));
}

TEST(StoreFaultTest, publishing_the_first_result_of_a_store) {
  run_all({[](StoreLab&) {},
           [](StoreLab& lab, FileSystem& fs) { (void)lab.publish(fs); },
           [](StoreLab& lab, const FaultPlan& plan, const std::string& victim) {
             expect_tidy(lab, plan, victim);
             expect_sound(lab, "first");
             expect_heals(lab, "first");
           }});
}

TEST(StoreFaultTest, publishing_beside_an_old_result) {
  run_all({[](StoreLab& lab) {
             ASSERT_TRUE(lab.publish(lab.disk).ok());
             lab.write_source("second");
           },
           [](StoreLab& lab, FileSystem& fs) { (void)lab.publish(fs); },
           [](StoreLab& lab, const FaultPlan& plan, const std::string& victim) {
             expect_tidy(lab, plan, victim);
             expect_sound(lab, "second");
             lab.write_source("first");
             lab.remove_outputs();
             EXPECT_EQ(lab.ask(lab.disk), Answer::hit);  // a publish takes nothing away from others
             EXPECT_EQ(lab.outputs(), lab.outputs_of("first"));
             expect_heals(lab, "second");
           }});
}

TEST(StoreFaultTest, publishing_what_is_there_already) {
  run_all({[](StoreLab& lab) { ASSERT_TRUE(lab.publish(lab.disk).ok()); },
           [](StoreLab& lab, FileSystem& fs) { (void)lab.publish(fs); },
           [](StoreLab& lab, const FaultPlan& plan, const std::string& victim) {
             expect_tidy(lab, plan, victim);
             lab.remove_outputs();
             EXPECT_EQ(lab.ask(lab.disk), Answer::hit);
             EXPECT_EQ(lab.outputs(), lab.outputs_of("first"));
           }});
}

TEST(StoreFaultTest, publishing_over_a_blob_that_lost_its_content) {
  run_all({[](StoreLab& lab) {
             ASSERT_TRUE(lab.publish(lab.disk).ok());
             lab.crash(Loss::garbage, 1);
           },
           [](StoreLab& lab, FileSystem& fs) { (void)lab.publish(fs); },
           [](StoreLab& lab, const FaultPlan&, const std::string&) {
             expect_sound(lab, "first");
             expect_heals(lab, "first");
           }});
}

// The caller has the outputs of an older compile in their places.
Files old_outputs(const StoreLab& lab) { return lab.outputs_of("older"); }

Scenario restore_scenario(const std::function<void(StoreLab&)>& before) {
  return {[before](StoreLab& lab) {
            ASSERT_TRUE(lab.publish(lab.disk).ok());
            lab.remove_outputs();
            for (const auto& [path, bytes] : old_outputs(lab)) (void)lab.disk.create(path, bytes, 0644);
            before(lab);
          },
          [](StoreLab& lab, FileSystem& fs) { (void)lab.ask(fs); },
          [](StoreLab& lab, const FaultPlan& plan, const std::string& victim) {
            Files is = lab.outputs(), was = old_outputs(lab), made = lab.outputs_of("first");
            expect_tidy(lab, plan, victim);
            if (!process_died(plan)) {
              // A rename that fails after another one has been done is the one way to some of each; then the compiler is run
              // and writes all of them.
              for (const auto& [path, bytes] : is) EXPECT_TRUE(bytes == was[path] || bytes == made[path]) << path;
            } else {
              for (const auto& [path, bytes] : was) EXPECT_TRUE(is[path] == bytes || is[path] == made[path]) << path;
            }
            expect_sound(lab, "first");
            expect_heals(lab, "first");
          }};
}

TEST(StoreFaultTest, restoring) {
  run_all(restore_scenario([](StoreLab&) {}));
}

TEST(StoreFaultTest, restoring_by_reflink) {
  run_all(restore_scenario([](StoreLab& lab) { lab.disk.reflinks = true; }));
}

TEST(StoreFaultTest, restoring_what_another_boot_published) {
  run_all(restore_scenario([](StoreLab& lab) {
    (void)lab.disk.sync_all("/cache");
    lab.reboot(1);
  }));
}

TEST(StoreFaultTest, nothing_is_touched_when_a_restore_fails_before_its_last_step) {
  Scenario scenario = restore_scenario([](StoreLab&) {});
  scenario.check = [](StoreLab& lab, const FaultPlan&, const std::string& victim) {
    bool was_renaming = victim.starts_with("rename /work/") || victim.starts_with("touch /cache");
    if (!was_renaming && lab.outputs() != lab.outputs_of("first")) {
      Files is = lab.outputs();
      for (const auto& [path, bytes] : old_outputs(lab)) EXPECT_EQ(is[path], bytes) << path;
    }
  };
  run_all(scenario);
}

TEST(StoreFaultTest, an_event_log_that_is_cut_keeps_its_newest_lines) {
  Config config;
  config.event_log_max_size = 2000;
  config.event_log_keep_lines = 5;
  auto event = [](int number) {
    Outcome outcome;
    outcome.kind = OutcomeKind::miss;
    outcome.crate_name = "unit" + std::to_string(number);
    return format_event(outcome, int64_t{1'800'000'000} * 1'000'000'000, 1);
  };
  auto append = [&](StoreLab& lab, FileSystem& fs, int number) { append_event(fs, lab.layout.events(), config, event(number)); };
  auto names = [](StoreLab& lab) {
    std::vector<std::string> out;
    std::vector<BuildEvent> events = read_events(lab.disk, lab.layout.events(), 0).value_or({});
    for (const BuildEvent& seen : events) out.push_back(seen.crate_name);
    return out;
  };
  run_all({[&](StoreLab& lab) {
             std::string log;
             for (int i = 0; log.size() + event(i).size() <= config.event_log_max_size; ++i) log += event(i);
             (void)lab.disk.append(lab.layout.events(), log);
           },
           [&](StoreLab& lab, FileSystem& fs) { append(lab, fs, 100); },
           [&](StoreLab& lab, const FaultPlan& plan, const std::string& victim) {
             expect_tidy(lab, plan, victim);
             EXPECT_GE(names(lab).size(), 3u);
             // A torn line swallows the next one at most.
             append(lab, lab.disk, 101);
             append(lab, lab.disk, 102);
             EXPECT_EQ(names(lab).back(), "unit102");
             EXPECT_LE(lab.disk.stat(lab.layout.events())->size, config.event_log_max_size);
           }});
}

}  // namespace
}  // namespace kache
