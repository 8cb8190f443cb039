#include "daemon/jobs.h"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/support/eventually.h"
#include "tests/support/shared_clock.h"

namespace kache {
namespace {

TEST(JobsTest, a_demand_never_waits_behind_background_work) {
  for (size_t threads : {size_t{0}, size_t{2}, size_t{3}, size_t{8}, size_t{20}}) {
    SharedClock clock;
    Gate gate;
    std::atomic<int> demands{0};
    Jobs jobs(clock, threads);
    size_t all = std::max<size_t>(threads, 2), most = all - std::min<size_t>(std::max<size_t>(all / 4, 1), 4);
    for (size_t i = 0; i < 2 * all; ++i) jobs.add(Urgency::background, [&] { gate.wait(); });
    ASSERT_TRUE(eventually([&] { return gate.waiting() == static_cast<int>(most); })) << threads;
    for (int i = 0; i < 100; ++i) jobs.add(Urgency::demand, [&] { demands++; });
    EXPECT_TRUE(eventually([&] { return demands == 100; })) << threads;
    EXPECT_EQ(gate.waiting(), static_cast<int>(most));  // nor has background work taken their threads
    EXPECT_EQ(jobs.threads(), all);
    gate.open();
    EXPECT_TRUE(eventually([&] { return jobs.waiting() == 0 && jobs.running() == 0; }));
  }
}

TEST(JobsTest, demands_may_have_all_threads) {
  SharedClock clock;
  Gate gate;
  Jobs jobs(clock, 4);
  for (int i = 0; i < 4; ++i) jobs.add(Urgency::demand, [&] { gate.wait(); });
  EXPECT_TRUE(eventually([&] { return gate.waiting() == 4; }));
  gate.open();
}

TEST(JobsTest, work_for_later_waits_for_its_time_and_holds_no_thread) {
  SharedClock clock;
  std::mutex mutex;
  std::vector<int> done;
  auto note = [&](int number) {
    std::lock_guard lock(mutex);
    done.push_back(number);
  };
  auto seen = [&] {
    std::lock_guard lock(mutex);
    return done;
  };
  Jobs jobs(clock, 2);
  jobs.add_later(20'000'000'000, [&] { note(2); });
  jobs.add_later(10'000'000'000, [&] { note(1); });
  EXPECT_EQ(jobs.waiting(), 0u);
  clock.advance_ms(9'999);
  jobs.add(Urgency::demand, [&] { note(0); });
  EXPECT_TRUE(eventually([&] { return seen() == std::vector<int>{0}; }));
  clock.advance_ms(1);
  jobs.add(Urgency::demand, [] {});  // somebody looks at the clock
  EXPECT_TRUE(eventually([&] { return seen() == std::vector<int>({0, 1}); }));
  clock.advance_ms(10'000);
  jobs.add(Urgency::demand, [] {});
  EXPECT_TRUE(eventually([&] { return seen() == std::vector<int>({0, 1, 2}); }));
}

TEST(JobsTest, what_many_threads_bring_is_done_once_each) {
  SharedClock clock;
  std::vector<std::atomic<int>> done(2000);
  {
    Jobs jobs(clock, 8);
    std::vector<std::thread> threads;
    for (size_t thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (size_t i = 0; i < 500; ++i) {
          auto work = [&, number = thread * 500 + i] { done[number]++; };
          if (i % 3 == 0) jobs.add(Urgency::demand, work);
          else if (i % 3 == 1) jobs.add(Urgency::background, work);
          else jobs.add(Urgency::background, [&jobs, work] { jobs.add(Urgency::demand, work); });
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(eventually([&] { return jobs.waiting() == 0 && jobs.running() == 0; }));
  }
  for (size_t i = 0; i < done.size(); ++i) ASSERT_EQ(done[i], 1) << i;
}

TEST(JobsTest, at_the_end_what_has_begun_is_finished_and_the_rest_dropped) {
  SharedClock clock;
  Gate gate;
  std::atomic<int> finished{0}, dropped{0};
  std::thread opener;
  {
    Jobs jobs(clock, 2);
    for (int i = 0; i < 2; ++i) jobs.add(Urgency::demand, [&] { gate.wait(), finished++; });
    ASSERT_TRUE(eventually([&] { return gate.waiting() == 2; }));
    jobs.add(Urgency::demand, [&] { dropped++; });
    jobs.add_later(0, [&] { dropped++; });
    opener = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      gate.open();
    });
  }
  EXPECT_EQ(finished, 2);
  EXPECT_EQ(dropped, 0);
  opener.join();
}

}  // namespace
}  // namespace kache
