#include "tui/words.h"

#include <algorithm>

#include "base/clock.h"
#include "base/path.h"
#include "wrapper/progress.h"

namespace kache {

std::string short_ms(uint64_t ms) {
  if (ms < 1000) return std::to_string(ms) + "ms";
  if (ms < 60'000) return std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100) + "s";
  return format_duration(ms / 1000);
}

std::string short_age(int64_t then_ns, int64_t now_ns) {
  int64_t seconds = std::max<int64_t>(now_ns - then_ns, 0) / 1'000'000'000;
  struct Unit {
    int64_t seconds;
    const char* name;
  };
  for (const Unit& unit : {Unit{86400, "d"}, Unit{3600, "h"}, Unit{60, "m"}}) {
    if (seconds >= unit.seconds) return std::to_string(seconds / unit.seconds) + unit.name;
  }
  return std::to_string(seconds) + "s";
}

std::string clock_of(int64_t ns) { return format_time(ns).substr(11, 8); }

std::string share(uint64_t part, uint64_t whole) {
  if (whole == 0) return "-";
  uint64_t tenths = (part * 1000 + whole / 2) / whole;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "%";
}

std::string shown_path(const std::string& path, const std::string& dir) {
  if (!is_below(path, dir)) return path;
  std::string below(relative_to(path, dir));
  return below.empty() ? "." : below;
}

std::string counted(uint64_t n, const char* one, const char* many) { return std::to_string(n) + " " + (n == 1 ? one : many); }

}  // namespace kache
