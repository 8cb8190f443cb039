// A clock that one thread turns while others read it.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace kache {

class SharedClock final : public Clock {
 public:
  int64_t wall_ns() override { return now_ns_; }
  int64_t monotonic_ns() override { return now_ns_; }
  int64_t boottime_ns() override { return now_ns_; }
  int64_t file_clock_ns() override { return now_ns_; }
  void let_file_clock_pass(int64_t) override {}

  void advance_ms(int64_t ms) { now_ns_ += ms * 1'000'000; }

 private:
  std::atomic<int64_t> now_ns_{int64_t{1'800'000'000} * 1'000'000'000};
};

}  // namespace kache
