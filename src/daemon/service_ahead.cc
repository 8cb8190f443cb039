// What is fetched before anybody asks, and what is noted of a build so that the next one can be foreseen.
#include "daemon/service.h"

#include <algorithm>

#include "daemon/planner.h"
#include "daemon/session_units.h"
#include "index/events.h"
#include "remote/session_packs.h"

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kBuildEndsNs = 60 * kSecond;   // so long nothing is asked for
constexpr uint64_t kDemandsToJudge = 10;         // so many come that were not foreseen, before what is fetched ahead is judged
constexpr size_t kPacksAtOnce = 3;
constexpr int64_t kLongestSaveNs = 300 * kSecond;
constexpr double kLeastUse = 0.3;                // of all demands; below that it is not worth it

}  // namespace

void Service::note_demand(const FetchRequest& request) {
  if (request.build.session.empty() || request.what != FetchRequest::traces || !config_of(request.settings).prefetch_enabled) return;
  bool is_first = false;
  std::optional<ActiveBuild> to_judge;
  {
    std::lock_guard lock(mutex_);
    auto [place, is_new] = builds_.try_emplace(request.build.session);
    ActiveBuild& build = place->second;
    is_first = is_new;
    build.settings = request.settings;
    build.asking = request.build;
    build.last_active_ns = clock_.monotonic_ns();
    (build.planned.count({request.key}) != 0 ? build.foreseen : build.unforeseen)++;
    bool is_due = build.unforeseen % kDemandsToJudge == 0 && build.unforeseen > 0 && !build.planned.empty();
    if (is_due && !*build.cancelled) to_judge = build;
  }
  // Demand, because it is to come before more is fetched; not here, because it reads files and somebody waits for an answer.
  if (to_judge) jobs_.add(Urgency::demand, [this, build = std::move(*to_judge)] { judge(build); });
  if (is_first) jobs_.add(Urgency::background, [this, request] { fetch_ahead(request); });
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

Result<FetchPlan> Service::plan_for(const Config& config, RemoteSetup& setup, const Namespace& name, const std::string& root, const Limits& limits) {
  PlanLimits budget{3, config.prefetch_max_keys, config.prefetch_max_bytes};
  if (!config.planner_endpoint.empty()) {
    Advice advice = ask_planner(curl_http(), fs_, clock_, config, name.space, root);
    if (!advice.problem.empty()) log_.warn("planner: " + advice.problem);
    if (advice.kind == Advice::do_nothing) return FetchPlan{};
    if (advice.kind == Advice::execute) return lacking(fs_, layout_, std::move(advice.units), budget);
  }
  return plan_fetch(fs_, layout_, *setup.remote, name, budget, &setup.exchange.trust, limits);
}

void Service::fetch_ahead(const FetchRequest& request) {
  Result<std::shared_ptr<RemoteSetup>> setup = setup_of(request.settings);
  if (!setup.ok() || !(*setup)->can_read || hurries_) return;
  const Config config = config_of(request.settings);
  int64_t seconds = config.prefetch_deadline_secs == 0 ? 3600 : static_cast<int64_t>(std::min<uint64_t>(config.prefetch_deadline_secs, 3600));
  Limits limits;
  limits.deadline_ns = clock_.monotonic_ns() + seconds * kSecond;
  Namespace name = namespace_of(fs_, request.build.space, request.build.root);
  Result<FetchPlan> plan = plan_for(config, **setup, name, request.build.root, limits);
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
  // One after the other in a few threads: each needs memory for what it unpacks.
  auto packs = std::make_shared<std::vector<PlannedPack>>(std::move(plan->packs));
  auto next = std::make_shared<std::atomic<size_t>>(0);
  for (size_t i = 0; i < std::min(packs->size(), kPacksAtOnce); ++i) {
    jobs_.add(Urgency::background, [this, session = request.build.session, settings = request.settings, packs, next, deadline = limits.deadline_ns,
                                    cancelled = build->second.cancelled] {
      for (size_t at = (*next)++; at < packs->size(); at = (*next)++) fetch_pack_ahead(session, settings, (*packs)[at], deadline, cancelled);
    });
  }
  for (const SessionUnit& unit : plan->units) {
    jobs_.add(Urgency::background, [this, session = request.build.session, settings = request.settings, unit, deadline = limits.deadline_ns,
                                    cancelled = build->second.cancelled] { fetch_unit_ahead(session, settings, unit, deadline, cancelled); });
  }
}

void Service::fetch_pack_ahead(const std::string& session, const RemoteSettings& settings, const PlannedPack& planned, int64_t deadline_ns,
                               const std::shared_ptr<std::atomic<bool>>& cancelled) {
  Result<std::shared_ptr<RemoteSetup>> setup = setup_of(settings);
  if (!setup.ok() || hurries_) return;
  Digest whose = fingerprint(settings);
  auto pack = std::make_shared<PackFlight>();
  pack->started_ns = clock_.monotonic_ns();
  std::map<ActionKey, std::pair<FlightKey, uint64_t>> coming;  // and where each ends
  {
    std::lock_guard lock(mutex_);
    uint64_t end = 0;
    for (const SessionUnit& unit : planned.units) {
      FlightKey key{whose, unit.invocation.digest};
      end += unit.size;
      coming[unit.action] = {key, end};
      auto [flight, is_new] = flights_.try_emplace(key);
      if (!is_new) continue;  // it is being fetched alone: whichever comes first answers
      flight->second.pack = pack;
      flight->second.pack_end = end;
    }
  }
  ExchangeSettings ahead = (*setup)->exchange;
  ahead.origin = EntryOrigin::ahead;
  Exchange exchange(fs_, clock_, layout_, boot_, *(*setup)->remote, ahead);
  Limits limits;
  limits.deadline_ns = deadline_ns;
  limits.cancelled = cancelled.get();
  Status done = exchange.fetch_pack(planned.pack, limits, [&](const ActionKey& action) {
    auto unit = coming.find(action);
    if (unit == coming.end()) return;
    auto [key, end] = unit->second;
    coming.erase(unit);
    pack->arrived = end;
    counts_.prefetch_completed++;
    {
      std::lock_guard lock(mutex_);
      auto build = builds_.find(session);
      if (build != builds_.end()) build->second.fetched.push_back(action);
    }
    end_flight(key, {FetchReply::found, {}});
  });
  counts_.requests += exchange.moved().requests;
  counts_.bytes_downloaded += exchange.moved().compressed_bytes;
  counts_.prefetch_bytes += exchange.moved().compressed_bytes;
  note_transfer("download", planned.pack.name.hex(), exchange.moved(), pack->started_ns, done.ok());
  if (!done.ok()) log_.warn("pack " + planned.pack.name.hex().substr(0, 12) + ": " + done.error().message);
  // What it did not bring is fetched alone: at once where somebody waits.
  for (const SessionUnit& unit : planned.units) {
    auto missing = coming.find(unit.action);
    if (missing == coming.end()) continue;
    {
      std::lock_guard lock(mutex_);
      auto flight = flights_.find(missing->second.first);
      if (flight != flights_.end() && flight->second.pack == pack && flight->second.waiting.empty()) flights_.erase(flight);
    }
    leave_pack(missing->second.first);
    jobs_.add(Urgency::background, [this, session, settings, unit, deadline_ns, cancelled] { fetch_unit_ahead(session, settings, unit, deadline_ns, cancelled); });
  }
}

void Service::fetch_unit_ahead(const std::string& session, const RemoteSettings& settings, const SessionUnit& unit, int64_t deadline_ns,
                               const std::shared_ptr<std::atomic<bool>>& cancelled) {
  if (*cancelled || hurries_ || clock_.monotonic_ns() >= deadline_ns) {
    counts_.prefetch_cancelled++;
    return;
  }
  if (fs_.stat(layout_.entry(unit.action)).ok()) return;
  Result<std::shared_ptr<RemoteSetup>> setup = setup_of(settings);
  if (!setup.ok()) return;
  // Only now: who asks for it waits for a transfer that is under way, never for one that is to come.
  FlightKey key{fingerprint(settings), unit.invocation.digest.is_zero() ? unit.action.digest : unit.invocation.digest};
  {
    std::lock_guard lock(mutex_);
    if (!flights_.try_emplace(key).second) return;  // somebody is fetching it
  }
  ExchangeSettings ahead = (*setup)->exchange;
  ahead.origin = EntryOrigin::ahead;
  Exchange exchange(fs_, clock_, layout_, boot_, *(*setup)->remote, ahead);
  Limits limits;
  limits.deadline_ns = deadline_ns;
  limits.cancelled = cancelled.get();
  int64_t started = clock_.monotonic_ns();
  bool is_bare = unit.invocation.digest.is_zero();
  Status done = is_bare ? exchange.fetch_unit(unit.action, limits) : exchange.fetch_unit(unit.invocation, unit.action, limits);
  counts_.requests += exchange.moved().requests;
  counts_.bytes_downloaded += exchange.moved().compressed_bytes;
  if (done.ok()) {
    counts_.prefetch_completed++;
    counts_.prefetch_bytes += exchange.moved().compressed_bytes;
    note_transfer("download", unit.action.hex(), exchange.moved(), started, true);
  }
  if (!done.ok() && done.code() != ErrorCode::not_found && done.code() != ErrorCode::timed_out) {
    note_refusal(unit.invocation.digest, done.error().message);
    note_refusal(unit.action.digest, done.error().message);
  }
  if (done.ok()) {
    std::lock_guard lock(mutex_);
    auto build = builds_.find(session);
    if (build != builds_.end()) build->second.fetched.push_back(unit.action);
  }
  FetchReply reply;
  if (done.ok()) reply.kind = FetchReply::found;
  else if (done.code() != ErrorCode::not_found) reply = failed_reply(done.error().message);
  end_flight(key, reply);
}

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
