#include "base/clock.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace kache {
namespace {

int64_t read_clock(clockid_t id) {
  timespec t;
  clock_gettime(id, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

class SystemClock final : public Clock {
 public:
  int64_t wall_ns() override { return read_clock(CLOCK_REALTIME); }
  int64_t monotonic_ns() override { return read_clock(CLOCK_MONOTONIC); }
  int64_t boottime_ns() override { return read_clock(CLOCK_BOOTTIME); }
  int64_t file_clock_ns() override { return read_clock(CLOCK_REALTIME_COARSE); }
  void let_file_clock_pass(int64_t ns) override {
    constexpr int64_t kTick = 10'000'000;
    constexpr timespec kStep = {0, 250'000};
    for (int64_t now = file_clock_ns(); now <= ns && ns - now < kTick; now = file_clock_ns()) nanosleep(&kStep, nullptr);
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

std::string format_time(int64_t wall_ns) {
  // gmtime_r would read the time zone from the disk first. The day of the very first nanoseconds begins before them all.
  constexpr int64_t kEarliest = INT64_MIN + int64_t{24} * 3600 * 1'000'000'000;
  std::chrono::sys_time<std::chrono::nanoseconds> time{std::chrono::nanoseconds(std::max(wall_ns, kEarliest))};
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::microseconds>(time - day));
  char text[64];
  snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
           static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
           static_cast<int>(clock.subseconds().count()));
  return text;
}

}  // namespace kache
