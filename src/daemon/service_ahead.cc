// What is fetched before anybody asks.
#include "daemon/service.h"

#include <algorithm>

#include "daemon/planner.h"

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr uint64_t kDemandsToJudge = 10;         // so many come that were not foreseen, before what is fetched ahead is judged
constexpr size_t kPacksAtOnce = 3;
constexpr double kLeastUse = 0.3;                // of all demands; below that it is not worth it

ExchangeSettings marked_as_ahead(ExchangeSettings settings) {
  settings.origin = EntryOrigin::ahead;
  return settings;
}

}  // namespace

void Service::announce(const BuildRequest& request) {
  last_active_ns_ = clock_.monotonic_ns();
  const Config config = config_of(request.settings);
  note_idle_timeout(config);
  if (request.build.session.empty() || !config.prefetch_enabled) return;
  std::lock_guard lock(mutex_);
  (void)join_build(request);
}

// Under the lock.
Service::ActiveBuild& Service::join_build(const BuildRequest& request) {
  auto [place, is_new] = builds_.try_emplace(request.build.session);
  ActiveBuild& build = place->second;
  build.settings = request.settings;
  build.asking = request.build;
  build.last_active_ns = clock_.monotonic_ns();
  if (is_new) jobs_.add(Urgency::background, [this, request] { fetch_ahead(request); });
  return build;
}

void Service::note_demand(const FetchRequest& request) {
  if (request.build.session.empty() || request.what != FetchRequest::traces || !config_of(request.settings).prefetch_enabled) return;
  std::optional<ActiveBuild> to_judge;
  {
    std::lock_guard lock(mutex_);
    ActiveBuild& build = join_build({request.settings, request.build});
    (build.planned.count({request.key}) != 0 ? build.foreseen : build.unforeseen)++;
    bool is_due = build.unforeseen % kDemandsToJudge == 0 && build.unforeseen > 0 && !build.planned.empty();
    if (is_due && !*build.cancelled) to_judge = build;
  }
  // Demand, because it is to come before more is fetched; not here, because it reads files and somebody waits for an answer.
  if (to_judge) jobs_.add(Urgency::demand, [this, build = std::move(*to_judge)] { judge(build); });
}

// Hits on what was fetched ahead do not come by here; they leave their mark on the entry.
void Service::judge(const ActiveBuild& build) {
  uint64_t useful = build.foreseen;
  for (const ActionKey& key : build.fetched) {
    Result<std::string> bytes = read_file(fs_, layout_.entry(key), kMaxEntrySize);
    Result<Entry> entry = bytes.ok() ? decode_entry(*bytes, key) : Result<Entry>(bytes.error());
    useful += entry.ok() && entry->origin != EntryOrigin::ahead;
  }
  if (static_cast<double>(useful) >= kLeastUse * static_cast<double>(useful + build.unforeseen)) return;
  if (!build.cancelled->exchange(true)) log_.info("what is fetched ahead is not what the build asks for; no more of it");
}

Result<FetchPlan> Service::plan_for(const BuildRequest& request, const Config& config, RemoteSetup& setup, const Namespace& name, const Limits& limits) {
  PlanLimits budget{3, config.prefetch_max_keys, config.prefetch_max_bytes};
  if (!config.planner_endpoint.empty()) {
    Advice advice = ask_planner(curl_http(Env(request.settings.env)), fs_, clock_, config, name.space, request.build.root);
    if (!advice.problem.empty()) log_.warn("planner: " + advice.problem);
    if (advice.kind == Advice::do_nothing) return FetchPlan{};
    if (advice.kind == Advice::execute) return lacking(fs_, layout_, std::move(advice.units), budget);
  }
  return plan_fetch(fs_, layout_, *setup.remote, name, budget, &setup.exchange.trust, limits);
}

void Service::fetch_ahead(const BuildRequest& request) {
  Result<std::shared_ptr<RemoteSetup>> setup = setup_of(request.settings);
  if (!setup.ok() || !(*setup)->can_read || hurries_) return;
  const Config config = config_of(request.settings);
  int64_t seconds = config.prefetch_deadline_secs == 0 ? 3600 : static_cast<int64_t>(std::min<uint64_t>(config.prefetch_deadline_secs, 3600));
  Limits limits;
  limits.deadline_ns = clock_.monotonic_ns() + seconds * kSecond;
  Namespace name = namespace_of(fs_, request.build.space, request.build.root);
  Result<FetchPlan> plan = plan_for(request, config, **setup, name, limits);
  if (!plan.ok()) return log_.warn("plan for " + name.space + ": " + plan.error().message);
  counts_.prefetch_plans++;
  counts_.prefetch_candidates += plan->count();
  counts_.prefetch_over_budget += plan->over_budget;
  if (plan->count() == 0) return;
  log_.info(name.space + ": " + std::to_string(plan->count()) + " results of " + std::to_string(plan->sessions) + " earlier builds are fetched ahead, in " +
            std::to_string(plan->packs.size()) + " packs and " + std::to_string(plan->units.size()) + " alone");
  std::lock_guard lock(mutex_);
  auto build = builds_.find(request.build.session);
  if (build == builds_.end()) return;
  for (const PlannedPack& pack : plan->packs) {
    for (const SessionUnit& unit : pack.units) build->second.planned.insert(unit.invocation);
  }
  for (const SessionUnit& unit : plan->units) build->second.planned.insert(unit.invocation);
  Ahead ahead{request.build.session, request.settings, limits.deadline_ns, build->second.cancelled};
  // One after the other in a few threads: each needs memory for what it unpacks.
  auto packs = std::make_shared<std::vector<PlannedPack>>(std::move(plan->packs));
  auto next = std::make_shared<std::atomic<size_t>>(0);
  for (size_t i = 0; i < std::min(packs->size(), kPacksAtOnce); ++i) {
    jobs_.add(Urgency::background, [this, ahead, packs, next] {
      for (size_t at = (*next)++; at < packs->size(); at = (*next)++) fetch_pack_ahead(ahead, (*packs)[at]);
    });
  }
  for (const SessionUnit& unit : plan->units) jobs_.add(Urgency::background, [this, ahead, unit] { fetch_unit_ahead(ahead, unit); });
}

Limits Service::limits_of(const Ahead& ahead) {
  Limits limits;
  limits.deadline_ns = ahead.deadline_ns;
  limits.cancelled = ahead.cancelled.get();
  return limits;
}

bool Service::is_over(const Ahead& ahead) const { return *ahead.cancelled || hurries_ || clock_.monotonic_ns() >= ahead.deadline_ns; }

void Service::note_fetched(const Ahead& ahead, const ActionKey& action) {
  counts_.prefetch_completed++;
  std::lock_guard lock(mutex_);
  auto build = builds_.find(ahead.session);
  if (build != builds_.end()) build->second.fetched.push_back(action);
}

// Whoever asks for one of its units from now on waits for the pack.
Service::Coming Service::board(const Ahead& ahead, const PlannedPack& planned, const std::shared_ptr<PackFlight>& pack) {
  Coming coming;
  Digest whose = fingerprint(ahead.settings);
  uint64_t end = 0;
  std::lock_guard lock(mutex_);
  for (const SessionUnit& unit : planned.units) {
    FlightKey key{whose, unit.invocation.digest};
    end += unit.size;
    coming[unit.action] = {key, end};
    auto [flight, is_new] = flights_.try_emplace(key);
    if (!is_new) continue;  // it is being fetched alone: whichever comes first answers
    flight->second.pack = pack;
    flight->second.pack_end = end;
  }
  return coming;
}

void Service::fetch_pack_ahead(const Ahead& ahead, const PlannedPack& planned) {
  Result<std::shared_ptr<RemoteSetup>> setup = setup_of(ahead.settings);
  if (!setup.ok() || is_over(ahead)) {
    counts_.prefetch_cancelled += planned.units.size();
    return;
  }
  auto pack = std::make_shared<PackFlight>();
  pack->started_ns = clock_.monotonic_ns();
  Coming coming = board(ahead, planned, pack);
  const ExchangeSettings settings = marked_as_ahead((*setup)->exchange);
  Exchange exchange(fs_, clock_, layout_, boot_, *(*setup)->remote, settings);
  Status done = exchange.fetch_pack(planned.pack, limits_of(ahead), [&](const ActionKey& action) {
    auto unit = coming.extract(action);
    if (unit.empty()) return;
    pack->arrived = unit.mapped().second;
    note_fetched(ahead, action);
    end_flight(unit.mapped().first, {FetchReply::found, {}});
  });
  counts_.requests += exchange.moved().requests;
  counts_.bytes_downloaded += exchange.moved().compressed_bytes;
  counts_.prefetch_bytes += exchange.moved().compressed_bytes;
  note_transfer("download", planned.pack.name.hex(), exchange.moved(), pack->started_ns, done.ok());
  if (!done.ok()) log_.warn("pack " + planned.pack.name.hex().substr(0, 12) + ": " + done.error().message);
  for (const SessionUnit& unit : planned.units) {
    auto missing = coming.find(unit.action);
    if (missing == coming.end()) continue;
    drop_from_pack(missing->second.first, pack);
    jobs_.add(Urgency::background, [this, ahead, unit] { fetch_unit_ahead(ahead, unit); });
  }
}

void Service::fetch_unit_ahead(const Ahead& ahead, const SessionUnit& unit) {
  if (is_over(ahead)) {
    counts_.prefetch_cancelled++;
    return;
  }
  if (fs_.stat(layout_.entry(unit.action)).ok()) return;
  Result<std::shared_ptr<RemoteSetup>> setup = setup_of(ahead.settings);
  if (!setup.ok()) return;
  // Only now: who asks for it waits for a transfer that is under way, never for one that is to come.
  FlightKey key{fingerprint(ahead.settings), unit.invocation.digest.is_zero() ? unit.action.digest : unit.invocation.digest};
  {
    std::lock_guard lock(mutex_);
    if (!flights_.try_emplace(key).second) return;  // somebody is fetching it
  }
  const ExchangeSettings settings = marked_as_ahead((*setup)->exchange);
  Exchange exchange(fs_, clock_, layout_, boot_, *(*setup)->remote, settings);
  Limits limits = limits_of(ahead);
  int64_t started = clock_.monotonic_ns();
  bool is_bare = unit.invocation.digest.is_zero();
  Status done = is_bare ? exchange.fetch_unit(unit.action, limits) : exchange.fetch_unit(unit.invocation, unit.action, limits);
  counts_.requests += exchange.moved().requests;
  counts_.bytes_downloaded += exchange.moved().compressed_bytes;
  if (done.ok()) {
    note_fetched(ahead, unit.action);
    counts_.prefetch_bytes += exchange.moved().compressed_bytes;
    note_transfer("download", unit.action.hex(), exchange.moved(), started, true);
  }
  if (!done.ok() && done.code() != ErrorCode::not_found && done.code() != ErrorCode::timed_out) {
    note_refusal(unit.invocation.digest, done.error().message);
    note_refusal(unit.action.digest, done.error().message);
  }
  FetchReply reply;
  if (done.ok()) reply.kind = FetchReply::found;
  else if (done.code() != ErrorCode::not_found) reply = failed_reply(done.error().message);
  end_flight(key, reply);
}

}  // namespace kache
