// What is noted of a build when it has ended, so that the next one can be foreseen.
#include <algorithm>

#include "daemon/service.h"
#include "daemon/session_units.h"
#include "index/events.h"
#include "remote/session_packs.h"

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kBuildEndsNs = 60 * kSecond;  // so long nothing is asked for
constexpr int64_t kLongestSaveNs = 300 * kSecond;

}  // namespace

void Service::tick() {
  std::vector<ActiveBuild> ended;
  {
    std::lock_guard lock(mutex_);
    for (auto build = builds_.begin(); build != builds_.end();) {
      if (clock_.monotonic_ns() - build->second.last_active_ns < kBuildEndsNs) {
        ++build;
        continue;
      }
      ended.push_back(std::move(build->second));
      build = builds_.erase(build);
    }
  }
  for (ActiveBuild& build : ended) jobs_.add(Urgency::background, [this, build = std::move(build)] { record_build(build); });
}

void Service::finish_builds() {
  std::map<std::string, ActiveBuild> builds;
  {
    std::lock_guard lock(mutex_);
    builds.swap(builds_);
  }
  for (auto& [session, build] : builds) {
    *build.cancelled = true;
    jobs_.add(Urgency::background, [this, build = std::move(build)] { record_build(build); });
  }
}

// What it asked for, where that is news: a build that compiled nothing asked for what an earlier one has noted.
void Service::record_build(const ActiveBuild& build) {
  Result<std::shared_ptr<RemoteSetup>> setup = setup_of(build.settings);
  if (!setup.ok() || !(*setup)->can_write) return;
  Result<std::vector<BuildEvent>> events = read_events(fs_, layout_.events(), clock_.wall_ns() - int64_t{24} * 3600 * kSecond);
  if (!events.ok()) return;
  std::erase_if(*events, [&](const BuildEvent& event) { return event.session_id != build.asking.session; });
  if (std::none_of(events->begin(), events->end(), [](const BuildEvent& event) { return event.is_compiled(); })) return;
  Namespace name = namespace_of(fs_, build.asking.space, build.asking.root);
  RecordedSession session{name.space, name.branch, clock_.wall_ns(), session_units(*events)};
  if (session.units.empty()) return;
  Limits limits;
  limits.deadline_ns = clock_.monotonic_ns() + kLongestSaveNs;
  Exchange exchange(fs_, clock_, layout_, boot_, *(*setup)->remote, (*setup)->exchange);
  int64_t started = clock_.monotonic_ns();
  size_t count = session.units.size();
  Result<SavedSession> saved = publish_session(exchange, *(*setup)->remote, std::move(session), digest_bytes(build.asking.session).prefix64(),
                                               config_of(build.settings).prefetch_packs, limits);
  counts_.requests += exchange.moved().requests;
  counts_.bytes_uploaded += exchange.moved().compressed_bytes;
  if (!saved.ok()) return log_.warn("session of " + name.space + ": " + saved.error().message);
  counts_.sessions_saved++;
  if (saved->new_packs > 0) note_transfer("upload", digest_bytes(build.asking.session).hex(), exchange.moved(), started, true);
  if (!saved->problem.empty()) log_.warn("packs of " + name.space + ": " + saved->problem);
  log_.info("session of " + name.space + " saved, " + std::to_string(count) + " units, " + std::to_string(saved->packed_units) + " of them in packs, " +
            std::to_string(saved->new_packs) + " new");
}

}  // namespace kache
