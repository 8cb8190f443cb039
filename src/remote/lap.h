// Lap: adds the time from its making to its end to a sum of microseconds.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace kache {

class Lap {
 public:
  Lap(Clock& clock, uint64_t& sum) : clock_(clock), sum_(sum), since_(clock.monotonic_ns()) {}
  Lap(const Lap&) = delete;
  Lap& operator=(const Lap&) = delete;
  ~Lap() { sum_ += static_cast<uint64_t>(clock_.monotonic_ns() - since_) / 1000; }

 private:
  Clock& clock_;
  uint64_t& sum_;
  int64_t since_;
};

}  // namespace kache
