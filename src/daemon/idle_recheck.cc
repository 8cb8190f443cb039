#include "daemon/idle_recheck.h"

#include <stdlib.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "wrapper/process.h"

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kQuietNs = 5 * kSecond;    // so long before it begins
constexpr int64_t kPauseNs = 60 * kSecond;   // between two looks at what waits

}  // namespace

bool is_idle_load(double load, unsigned processors, std::string_view bound, double own) {
  double most = 0.25 * std::max(processors, 1u);
  double given = 0;
  auto [end, failed] = std::from_chars(bound.data(), bound.data() + bound.size(), given);
  if (failed == std::errc() && end == bound.data() + bound.size()) most = given;
  return load < most + own;
}

bool is_machine_idle(const Env& env, double own) {
  double load = 0;
  if (::getloadavg(&load, 1) != 1) return false;
  return is_idle_load(load, std::thread::hardware_concurrency(), env.get_or_empty("KACHE_IDLE_LOAD"), own);
}

bool IdleRecheck::has_work() const {
  Result<std::vector<DirEntry>> names = fs_.list(layout_.rechecks());
  return names.ok() && std::any_of(names->begin(), names->end(), [](const DirEntry& name) { return name.name.size() == 64; });
}

void IdleRecheck::look(bool is_quiet) {
  int64_t now = clock_.monotonic_ns();
  if (!is_quiet || quiet_since_ns_ == 0) quiet_since_ns_ = now;
  if (now - quiet_since_ns_ < kQuietNs || (looked_ns_ != 0 && now - looked_ns_ < kPauseNs)) return;
  if (!is_machine_idle(env_, 0)) return;
  looked_ns_ = now;
  if (has_work()) (void)start_detached({tool_, "remote", "verify", "--idle"}, env_);
}

}  // namespace kache
