// Wall and monotonic time, in nanoseconds. A seam: tests turn the hands of a ManualClock.
#pragma once

#include <cstdint>
#include <string>

namespace kache {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t wall_ns() = 0;       // CLOCK_REALTIME
  virtual int64_t monotonic_ns() = 0;  // CLOCK_MONOTONIC
  virtual int64_t boottime_ns() = 0;   // CLOCK_BOOTTIME: since this boot, suspended time included
  // CLOCK_REALTIME_COARSE: the clock with which the kernel stamps files. A file whose ctime is below it can not be
  // changed any more without its ctime changing too.
  virtual int64_t file_clock_ns() = 0;
  // Sleeps until file_clock_ns() is above `ns`: at most for one tick, 10 ms where the kernel ticks slowest. A time further
  // ahead is not waited for.
  virtual void let_file_clock_pass(int64_t ns) = 0;
};

Clock& system_clock();

// "2026-08-22T10:11:12.131415Z", RFC 3339 in UTC.
std::string format_time(int64_t wall_ns);

}  // namespace kache
