// A clock whose hands a test turns. The kernel's coarse file clock is the same hand: what is written between two turns has
// one time, as it has within one tick of the real one.
#pragma once

#include "base/clock.h"

namespace kache {

class ManualClock final : public Clock {
 public:
  int64_t wall_ns() override { return now_ns; }
  int64_t monotonic_ns() override { return now_ns; }
  int64_t boottime_ns() override { return now_ns - booted_ns; }
  int64_t file_clock_ns() override { return now_ns; }

  void let_file_clock_pass(int64_t ns) override { now_ns = now_ns > ns ? now_ns : ns + 1; }

  void advance_ms(int64_t ms) { now_ns += ms * 1'000'000; }

  int64_t now_ns = int64_t{1'800'000'000} * 1'000'000'000;  // a day in 2027
  int64_t booted_ns = now_ns - int64_t{3600} * 1'000'000'000;
};

}  // namespace kache
