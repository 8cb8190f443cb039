// Pace: how a long walk over the store leaves room for a build. Work for a slice of time, then rest.
#pragma once

#include <time.h>

#include "base/clock.h"

namespace kache {

class Pace {
 public:
  // No rests.
  Pace() = default;
  Pace(Clock& clock, int64_t work_ns, int64_t rest_ns)
      : clock_(&clock), work_ns_(work_ns), rest_ns_(rest_ns), since_ns_(clock.monotonic_ns()) {}

  bool is_due() const { return clock_ && clock_->monotonic_ns() - since_ns_ >= work_ns_; }

  // Called wherever nothing is held that somebody could be waiting for.
  void breathe() {
    if (!is_due()) return;
    timespec rest{rest_ns_ / 1'000'000'000, rest_ns_ % 1'000'000'000};
    ::nanosleep(&rest, nullptr);
    since_ns_ = clock_->monotonic_ns();
  }

 private:
  Clock* clock_ = nullptr;
  int64_t work_ns_ = 0, rest_ns_ = 0, since_ns_ = 0;
};

}  // namespace kache
