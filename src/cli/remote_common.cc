#include "cli/remote_common.h"

#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <set>

#include "daemon/jobs.h"
#include "daemon/session_units.h"

namespace kache {

Result<std::shared_ptr<RemoteSetup>> open_remotes(const CommandContext& context) {
  const Config& config = context.config;
  if (config.local_only) return Error{ErrorCode::invalid, 0, "local-only mode is on (cache.local_only); unset it to use the remote"};
  // A table that lacks its bucket or path is no remote for a compile; whoever asks is told what is missing.
  Result<std::vector<RemoteSpec>> specs = resolve_remotes(config);
  if (specs.ok() && specs->empty()) return Error{ErrorCode::invalid, 0, "no remote is configured; kache config set cache.remotes URL"};
  Result<std::shared_ptr<RemoteSetup>> setup = set_up_remotes(config, context.env, context.clock, context.layout.temporary());
  if (!setup.ok()) return std::move(setup).error().in("the remote can not be used");
  return setup;
}

Limits command_limits(const CommandContext& context) {
  Limits limits;
  uint64_t seconds = context.config.remote_timeout_secs == 0 ? 3600 : context.config.remote_timeout_secs;
  limits.deadline_ns = context.clock.monotonic_ns() + static_cast<int64_t>(seconds) * 1'000'000'000;
  return limits;
}

DoneCount::DoneCount(std::string doing, size_t count) : doing_(std::move(doing)), count_(count), is_terminal_(::isatty(2)) {}

void DoneCount::add(const std::string& problem) {
  std::lock_guard lock(mutex_);
  done_++;
  if (!problem.empty()) {
    failed_++;
    std::fprintf(stderr, "%serror: %s\n", is_terminal_ ? "\r" : "", printable(problem).c_str());
  }
  if (is_terminal_) std::fprintf(stderr, "\r  %s: %zu/%zu", doing_.c_str(), done_, count_);
}

size_t DoneCount::finish() {
  std::lock_guard lock(mutex_);
  std::fprintf(stderr, "%s  %s:  %zu/%zu (%zu failed)\n", is_terminal_ ? "\r" : "", doing_.c_str(), count_ - failed_, count_, failed_);
  return failed_;
}

void do_all(const CommandContext& context, const std::vector<std::function<void()>>& work) {
  std::mutex mutex;
  std::condition_variable changed;
  size_t done = 0;
  Jobs jobs(context.clock, std::min<size_t>(std::max<uint64_t>(context.config.remote_concurrency, 2), std::max<size_t>(work.size(), 2)));
  for (const std::function<void()>& one : work) {
    jobs.add(Urgency::demand, [&] {
      one();
      std::lock_guard lock(mutex);
      done++;
      changed.notify_one();
    });
  }
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return done == work.size(); });
}

size_t fetch_planned(const CommandContext& context, RemoteSetup& setup, const FetchPlan& plan, const std::string& doing, const Limits& limits) {
  DoneCount count(doing, plan.count());
  auto fetch_one = [&](const SessionUnit& unit) {
    bool is_late = context.clock.monotonic_ns() >= limits.deadline_ns;
    count.add(is_late ? "out of time (cache.prefetch_deadline_secs)" : fetch_unit(context, setup, unit, EntryOrigin::ahead));
  };
  ExchangeSettings ahead = setup.exchange;
  ahead.origin = EntryOrigin::ahead;
  std::vector<std::function<void()>> work;
  for (const PlannedPack& planned : plan.packs) {
    work.push_back([&] {
      std::set<ActionKey> missing;
      for (const SessionUnit& unit : planned.units) missing.insert(unit.action);
      Exchange exchange(context.fs, context.clock, context.layout, read_boot_id(context.fs), *setup.remote, ahead);
      (void)exchange.fetch_pack(planned.pack, limits, [&](const ActionKey& action) {
        if (missing.erase(action) != 0) count.add({});
      });
      for (const SessionUnit& unit : planned.units) {
        if (missing.count(unit.action) != 0) fetch_one(unit);
      }
    });
  }
  for (const SessionUnit& unit : plan.units) work.push_back([&] { fetch_one(unit); });
  do_all(context, work);
  return count.finish();
}

Result<SavedSession> save_build(const CommandContext& context, RemoteSetup& setup, RecordedSession session, const std::string& id) {
  Exchange exchange(context.fs, context.clock, context.layout, read_boot_id(context.fs), *setup.remote, setup.exchange);
  return publish_session(exchange, *setup.remote, std::move(session), digest_bytes(id).prefix64(), context.config.prefetch_packs, command_limits(context));
}

RecordedSession session_of(const PastBuild& build, const Namespace& name, int64_t now_ns) {
  RecordedSession session{name.space, name.branch, now_ns, session_units(build.events)};
  return session;
}

std::string fetch_unit(const CommandContext& context, RemoteSetup& setup, const SessionUnit& unit, EntryOrigin origin) {
  ExchangeSettings settings = setup.exchange;
  settings.origin = origin;
  Exchange exchange(context.fs, context.clock, context.layout, read_boot_id(context.fs), *setup.remote, settings);
  Limits limits = command_limits(context);
  bool is_bare = unit.invocation.digest.is_zero();
  Status done = is_bare ? exchange.fetch_unit(unit.action, limits) : exchange.fetch_unit(unit.invocation, unit.action, limits);
  if (done.ok()) return {};
  return "pull " + unit.action.hex().substr(0, 16) + "... (" + unit.crate_name + "): " + done.error().message;
}

}  // namespace kache
