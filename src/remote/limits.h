// Whether a call may go on: what an engine asks between two pieces of work.
#pragma once

#include <algorithm>

#include "base/clock.h"
#include "remote/remote.h"

namespace kache {

// At most `most_ns`: how long one wait may take before still_wanted() is asked again.
inline int64_t time_left_ns(const Limits& limits, int64_t most_ns) {
  return std::clamp<int64_t>(limits.deadline_ns - system_clock().monotonic_ns(), 0, most_ns);
}

inline Status still_wanted(const Limits& limits) {
  if (limits.cancelled && limits.cancelled->load(std::memory_order_relaxed)) return Error{ErrorCode::timed_out, 0, "not wanted any more"};
  if (time_left_ns(limits, 1) == 0) return Error{ErrorCode::timed_out, 0, "no time left"};
  return Ok{};
}

}  // namespace kache
