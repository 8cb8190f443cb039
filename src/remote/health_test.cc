#include "remote/health.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/manual_clock.h"

namespace kache {
namespace {

using State = CircuitBreaker::State;

ObjectName name_of(int i) { return ObjectName::record(ActionKey{digest_bytes(std::to_string(i))}); }

void fail(CircuitBreaker& breaker, int times, Fault fault = Fault::timeout) {
  for (int i = 0; i < times; ++i) {
    auto permit = breaker.admit();
    ASSERT_TRUE(permit.has_value());
    permit->failed(fault);
  }
}

TEST(Fault, each_code_has_a_class_and_only_two_classes_speak_against_the_remote) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::io); ++i) EXPECT_NE(fault_name(fault_of(static_cast<ErrorCode>(i))), "") << i;
  EXPECT_EQ(fault_of(ErrorCode::not_found), Fault::miss);
  EXPECT_EQ(fault_of(ErrorCode::timed_out), Fault::timeout);
  EXPECT_EQ(fault_of(ErrorCode::denied), Fault::authentication);
  EXPECT_EQ(fault_of(ErrorCode::corrupt), Fault::integrity);
  for (Fault fault : {Fault::transient, Fault::timeout}) EXPECT_TRUE(is_poisoning(fault) && is_worth_a_retry(fault));
  for (Fault fault : {Fault::miss, Fault::authentication, Fault::configuration, Fault::integrity, Fault::local}) {
    EXPECT_FALSE(is_poisoning(fault) || is_worth_a_retry(fault)) << fault_name(fault);
  }
}

TEST(CircuitBreaker, opens_after_three_failures_in_a_row) {
  ManualClock clock;
  CircuitBreaker breaker(clock);
  fail(breaker, 2);
  breaker.admit()->failed(Fault::miss);  // it answered
  fail(breaker, 2);
  breaker.admit()->succeeded();
  fail(breaker, 2, Fault::transient);
  fail(breaker, 5, Fault::authentication);
  fail(breaker, 2);
  EXPECT_EQ(breaker.state(), State::closed);
  fail(breaker, 1);
  EXPECT_EQ(breaker.state(), State::open);
  EXPECT_FALSE(breaker.admit());
  EXPECT_FALSE(breaker.admit());
  EXPECT_EQ(breaker.suppressed(), 2u);
}

TEST(CircuitBreaker, lets_one_probe_through_when_its_time_is_over) {
  ManualClock clock;
  CircuitBreaker breaker(clock);
  fail(breaker, 3);
  clock.advance_ms(44'999);
  EXPECT_FALSE(breaker.admit());
  EXPECT_EQ(breaker.shut_for_ns(), 1'000'000);
  clock.advance_ms(1);
  EXPECT_EQ(breaker.shut_for_ns(), 0);
  auto probe = breaker.admit();
  ASSERT_TRUE(probe);
  EXPECT_EQ(breaker.state(), State::half_open);
  EXPECT_FALSE(breaker.admit());
  probe->failed(Fault::timeout);
  EXPECT_EQ(breaker.state(), State::open);
  EXPECT_FALSE(breaker.admit());
  clock.advance_ms(45'000);
  breaker.admit()->failed(Fault::miss);  // not found is an answer
  EXPECT_EQ(breaker.state(), State::closed);
  fail(breaker, 2);  // counts from the beginning
  EXPECT_EQ(breaker.state(), State::closed);
}

TEST(CircuitBreaker, a_probe_that_says_nothing_shuts_it_again) {
  ManualClock clock;
  CircuitBreaker breaker(clock);
  fail(breaker, 3);
  clock.advance_ms(45'000);
  { auto probe = breaker.admit(); }
  EXPECT_EQ(breaker.state(), State::open);
  EXPECT_EQ(breaker.shut_for_ns(), int64_t{45'000} * 1'000'000);
  // In a closed one a dropped permit means nothing.
  clock.advance_ms(45'000);
  breaker.admit()->succeeded();
  fail(breaker, 2);
  { auto dropped = breaker.admit(); }
  fail(breaker, 1);
  EXPECT_EQ(breaker.state(), State::open);
}

TEST(CircuitBreaker, late_results_of_an_earlier_state_are_not_heard) {
  ManualClock clock;
  CircuitBreaker breaker(clock);
  auto late_success = breaker.admit(), late_failure = breaker.admit(), late_drop = breaker.admit();
  fail(breaker, 3);
  late_success->succeeded();
  EXPECT_EQ(breaker.state(), State::open);
  clock.advance_ms(45'000);
  auto probe = breaker.admit();
  late_failure->failed(Fault::timeout);
  late_drop.reset();
  EXPECT_EQ(breaker.state(), State::half_open);
  probe->succeeded();
  EXPECT_EQ(breaker.state(), State::closed);
}

TEST(CircuitBreaker, of_many_threads_one_probes) {
  ManualClock clock;
  CircuitBreaker breaker(clock);
  constexpr int kThreads = 8, kRounds = 50;
  for (int round = 0; round < kRounds; ++round) {
    while (auto permit = breaker.admit()) permit->failed(Fault::timeout);
    clock.advance_ms(45'000);
    std::atomic<int> admitted{0};
    std::atomic<bool> all_asked{false};
    std::vector<std::thread> crowd;
    std::atomic<int> asked{0};
    for (int i = 0; i < kThreads; ++i) {
      crowd.emplace_back([&] {
        auto permit = breaker.admit();
        if (permit) ++admitted;
        if (++asked == kThreads) all_asked = true;
        while (!all_asked) std::this_thread::yield();  // nobody reports before everybody has asked
        if (permit) permit->failed(Fault::timeout);
      });
    }
    for (std::thread& thread : crowd) thread.join();
    ASSERT_EQ(admitted, 1);
    ASSERT_EQ(breaker.state(), State::open);
    clock.advance_ms(45'000);
    breaker.admit()->succeeded();
  }
}

TEST(NegativeCache, believes_an_absence_for_a_minute) {
  ManualClock clock;
  NegativeCache cache(clock);
  EXPECT_FALSE(cache.is_absent(name_of(1)));
  cache.record_absent(name_of(1), cache.look());
  EXPECT_TRUE(cache.is_absent(name_of(1)));
  EXPECT_FALSE(cache.is_absent(name_of(2)));
  clock.advance_ms(59'999);
  EXPECT_TRUE(cache.is_absent(name_of(1)));
  clock.advance_ms(1);
  EXPECT_FALSE(cache.is_absent(name_of(1)));
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.suppressed(), 2u);
}

TEST(NegativeCache, a_put_ends_it_and_what_was_seen_before_comes_too_late) {
  ManualClock clock;
  NegativeCache cache(clock);
  cache.record_absent(name_of(1), cache.look());
  NegativeCache::Epoch before = cache.look();
  cache.forget(name_of(1));
  EXPECT_FALSE(cache.is_absent(name_of(1)));
  cache.record_absent(name_of(1), before);
  EXPECT_FALSE(cache.is_absent(name_of(1)));
  cache.record_absent(name_of(2), before);  // another name did not change
  EXPECT_TRUE(cache.is_absent(name_of(2)));
  cache.record_absent(name_of(1), cache.look());  // and now it was removed there
  EXPECT_TRUE(cache.is_absent(name_of(1)));
}

TEST(NegativeCache, is_bounded_and_stays_right_when_it_forgets) {
  ManualClock clock;
  NegativeCache cache(clock, {int64_t{60} * 1'000'000'000, 4});
  for (int i = 0; i < 10; ++i) cache.record_absent(name_of(i), cache.look());
  EXPECT_EQ(cache.size(), 4u);
  EXPECT_FALSE(cache.is_absent(name_of(5)));
  EXPECT_TRUE(cache.is_absent(name_of(6)));
  NegativeCache::Epoch before = cache.look();
  for (int i = 0; i < 100; ++i) cache.forget(name_of(i));  // far more changes than it keeps
  for (int i = 0; i < 100; ++i) cache.record_absent(name_of(i), before);
  EXPECT_EQ(cache.size(), 0u);
  cache.record_absent(name_of(7), cache.look());
  EXPECT_TRUE(cache.is_absent(name_of(7)));
}

TEST(NegativeCache, never_hides_what_was_put_whatever_the_threads_do) {
  ManualClock clock;
  NegativeCache cache(clock, {int64_t{60} * 1'000'000'000, 8});
  constexpr int kNames = 16, kRounds = 300;
  std::array<std::atomic<bool>, kNames> there{};  // the remote
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      for (int n = 0; !done; n = (n + 1) % kNames) {
        NegativeCache::Epoch seen = cache.look();
        bool absent = !there[static_cast<size_t>(n)];
        std::this_thread::yield();
        if (absent) cache.record_absent(name_of(n), seen);
      }
    });
  }
  int hidden = 0;
  for (int round = 0; round < kRounds; ++round) {
    for (int n = 0; n < kNames; ++n) {
      there[static_cast<size_t>(n)] = true;
      cache.forget(name_of(n));
      std::this_thread::yield();
      if (cache.is_absent(name_of(n))) ++hidden;
    }
    for (auto& one : there) one = false;
  }
  done = true;
  for (std::thread& thread : readers) thread.join();
  EXPECT_EQ(hidden, 0);
}

TEST(Backoff, doubles_with_full_jitter_up_to_its_most) {
  constexpr int64_t kS = 1'000'000'000;
  uint64_t random = UINT64_MAX;
  Backoff backoff({1 * kS, 10 * kS}, [&] { return random; });
  std::vector<int64_t> most = {1 * kS, 2 * kS, 4 * kS, 8 * kS, 10 * kS, 10 * kS};
  for (int64_t window : most) {
    random = static_cast<uint64_t>(window);  // the largest part
    EXPECT_EQ(backoff.next_ns(), window);
  }
  random = 0;
  EXPECT_EQ(backoff.next_ns(), 0);
  backoff.reset();
  random = 1 * kS;
  EXPECT_EQ(backoff.next_ns(), 1 * kS);
}

TEST(Backoff, what_the_remote_asks_for_is_the_least) {
  constexpr int64_t kS = 1'000'000'000;
  uint64_t random = 0;
  Backoff backoff({1 * kS, 10 * kS}, [&] { return random; });
  EXPECT_EQ(backoff.next_ns(3 * kS), 3 * kS);
  random = 2 * kS;
  EXPECT_EQ(backoff.next_ns(3 * kS), 5 * kS);
  random = 4 * kS;
  EXPECT_EQ(backoff.next_ns(9 * kS), 10 * kS);   // the random part is cut
  EXPECT_EQ(backoff.next_ns(30 * kS), 30 * kS);  // what was asked for is not
}

TEST(Backoff, is_random_by_itself) {
  Backoff one, other;
  bool differs = false;
  for (int i = 0; i < 10; ++i) differs |= one.next_ns() != other.next_ns();
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace kache
