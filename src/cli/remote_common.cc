#include "cli/remote_common.h"

#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <mutex>

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

size_t do_all(const CommandContext& context, const std::string& doing, size_t count, const std::function<std::string(size_t)>& work) {
  std::mutex mutex;
  std::condition_variable changed;
  size_t done = 0, failed = 0;
  bool is_terminal = ::isatty(2);
  {
    Jobs jobs(context.clock, std::min<size_t>(std::max<uint64_t>(context.config.remote_concurrency, 2), std::max<size_t>(count, 2)));
    for (size_t i = 0; i < count; ++i) {
      jobs.add(Urgency::demand, [&, i] {
        std::string problem = work(i);
        std::lock_guard lock(mutex);
        done++;
        if (!problem.empty()) {
          failed++;
          std::fprintf(stderr, "%serror: %s\n", is_terminal ? "\r" : "", printable(problem).c_str());
        }
        if (is_terminal) std::fprintf(stderr, "\r  %s: %zu/%zu", doing.c_str(), done, count);
        changed.notify_one();
      });
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done == count; });
  }
  std::fprintf(stderr, "%s  %s:  %zu/%zu (%zu failed)\n", is_terminal ? "\r" : "", doing.c_str(), count - failed, count, failed);
  return failed;
}

RecordedSession session_of(const PastBuild& build, const Namespace& name, int64_t now_ns) {
  RecordedSession session{name.space, name.branch, now_ns, session_units(build.events)};
  return session;
}

std::string fetch_unit(const CommandContext& context, RemoteSetup& setup, const SessionUnit& unit, EntryOrigin origin, Moved* moved) {
  ExchangeSettings settings = setup.exchange;
  settings.origin = origin;
  Exchange exchange(context.fs, context.clock, context.layout, read_boot_id(context.fs), *setup.remote, settings);
  Limits limits = command_limits(context);
  bool is_bare = unit.invocation.digest.is_zero();
  Status done = is_bare ? exchange.fetch_unit(unit.action, limits) : exchange.fetch_unit(unit.invocation, unit.action, limits);
  if (moved) *moved = exchange.moved();
  if (done.ok()) return {};
  return "pull " + unit.action.hex().substr(0, 16) + "... (" + unit.crate_name + "): " + done.error().message;
}

}  // namespace kache
