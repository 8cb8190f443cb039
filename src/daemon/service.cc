#include "daemon/service.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/path.h"
#include "daemon/planner.h"
#include "daemon/session_units.h"
#include "daemon/transfer_log.h"
#include "index/events.h"

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kLongestDemandNs = 3 * kSecond;
constexpr int64_t kFirstRetryNs = 5 * kSecond, kLongestRetryNs = 300 * kSecond;
constexpr int64_t kKeepTryingNs = int64_t{24} * 3600 * kSecond;
constexpr int64_t kBrokenNs = 30 * kSecond;  // how long settings that can not be used are not looked at again
constexpr size_t kMostSetups = 64, kMostRefusals = 4096;
constexpr int64_t kRefusedNs = 60 * kSecond;
constexpr int64_t kBuildEndsNs = 60 * kSecond;   // so long nothing is asked for
constexpr uint64_t kDemandsToJudge = 10;         // so many come that were not foreseen, before what is fetched ahead is judged
constexpr double kLeastUse = 0.3;                // of all demands; below that it is not worth it

FetchReply failed(std::string reason) { return {FetchReply::failed, std::move(reason)}; }

// What will not become better by itself.
bool is_permanent(ErrorCode code) {
  return code == ErrorCode::invalid || code == ErrorCode::unsupported || code == ErrorCode::too_large;
}

}  // namespace

Service::Service(FileSystem& fs, Clock& clock, const StoreLayout& layout, Log& log, Opener open, size_t threads)
    : fs_(fs), clock_(clock), layout_(layout), boot_(read_boot_id(fs)), log_(log), open_(std::move(open)),
      last_active_ns_(clock.monotonic_ns()), random_(static_cast<uint64_t>(clock.wall_ns())), jobs_(clock, threads) {}

Service::~Service() = default;

Result<std::shared_ptr<RemoteSetup>> Service::setup_of(const RemoteSettings& settings) {
  Digest name = fingerprint(settings);
  std::lock_guard lock(mutex_);
  auto known = setups_.find(name);
  if (known != setups_.end()) return known->second;
  auto broken = broken_.find(name);
  if (broken != broken_.end() && clock_.monotonic_ns() - broken->second.second < kBrokenNs) {
    return Error{ErrorCode::invalid, 0, broken->second.first};
  }
  Result<std::shared_ptr<RemoteSetup>> setup = open_(settings);
  if (!setup.ok()) {
    log_.warn("remote settings: " + setup.error().message);
    if (broken_.size() >= kMostSetups) broken_.clear();
    broken_[name] = {setup.error().message, clock_.monotonic_ns()};
    return setup;
  }
  if (setups_.size() >= kMostSetups) setups_.erase(setups_.begin());
  setups_[name] = *setup;
  log_.info("remote: " + (*setup)->description);
  return setup;
}

// --- fetch -------------------------------------------------------------------------------------------------------------

void Service::fetch(const FetchRequest& request, Reply reply) {
  last_active_ns_ = clock_.monotonic_ns();
  counts_.fetches++;
  uint64_t idle = config_of(request.settings).daemon_idle_timeout_secs;
  if (idle == 0) never_idle_ = true;
  else idle_timeout_secs_ = std::max(idle_timeout_secs_.load(), idle);
  FlightKey key{fingerprint(request.settings), request.key};
  bool is_first = false;
  {
    std::lock_guard lock(mutex_);
    auto [flight, is_new] = flights_.try_emplace(key);
    is_first = is_new;
    flight->second.waiting.push_back(std::move(reply));
  }
  release_parked(key.first, request.settings);
  if (!is_first) {
    counts_.joined++;
    return;
  }
  note_demand(request);
  int64_t wait = std::min<int64_t>(int64_t{request.deadline_ms} * 1'000'000, kLongestDemandNs);
  start_flight(key, request, clock_.monotonic_ns() + wait);
}

void Service::start_flight(const FlightKey& key, const FetchRequest& request, int64_t deadline_ns) {
  jobs_.add(Urgency::demand, [this, key, request, deadline_ns] {
    FetchReply answer = run_fetch(request, deadline_ns);
    std::vector<Reply> waiting;
    {
      std::lock_guard lock(mutex_);
      auto flight = flights_.find(key);
      waiting = std::move(flight->second.waiting);
      flights_.erase(flight);
    }
    for (const Reply& reply : waiting) reply(answer);
    last_active_ns_ = clock_.monotonic_ns();
  });
}

FetchReply Service::run_fetch(const FetchRequest& request, int64_t deadline_ns) {
  Result<std::shared_ptr<RemoteSetup>> setup = setup_of(request.settings);
  if (!setup.ok()) return failed(setup.error().message);
  if (!(*setup)->can_read) return {};
  if (clock_.monotonic_ns() >= deadline_ns) return failed("no thread was free in time");
  counts_.active_downloads++;
  int64_t started = clock_.monotonic_ns();
  Exchange exchange(fs_, clock_, layout_, boot_, *(*setup)->remote, (*setup)->exchange);
  FetchReply reply;
  if (request.what == FetchRequest::traces) {
    reply = take_traces(**setup, exchange, request, deadline_ns);
  } else {
    Limits limits;
    limits.deadline_ns = deadline_ns;
    Status done = exchange.fetch_record({request.key}, limits);
    if (done.ok()) reply.kind = FetchReply::found;
    else if (done.code() == ErrorCode::busy) reply = {FetchReply::suppressed, done.error().message};
    else if (done.code() != ErrorCode::not_found) reply = failed(done.error().message);
  }
  // For the remote it is as if it were not there, since somebody has found that it is no good.
  if (reply.kind == FetchReply::failed) note_refusal(request.key, reply.reason);
  std::string refusal = reply.kind == FetchReply::absent ? refusal_of(request.key) : "";
  if (!refusal.empty()) reply = {FetchReply::absent, refusal};
  const Moved& moved = exchange.moved();
  counts_.active_downloads--;
  counts_.requests += moved.requests;
  counts_.bytes_downloaded += moved.compressed_bytes;
  switch (reply.kind) {
    case FetchReply::found: counts_.found++, counts_.downloads_completed++; break;
    case FetchReply::absent: counts_.absent++; break;
    case FetchReply::suppressed: counts_.downloads_suppressed++; break;
    case FetchReply::failed:
      counts_.failed++, counts_.downloads_failed++;
      log_.warn("fetch " + request.key.hex().substr(0, 12) + ": " + reply.reason);
      break;
  }
  if (reply.kind == FetchReply::found || (reply.kind == FetchReply::failed && moved.requests > 0)) {
    note_transfer("download", request.key.hex(), moved, started, reply.kind == FetchReply::found);
  }
  return reply;
}

void Service::note_refusal(const Digest& key, const std::string& why) {
  std::lock_guard lock(mutex_);
  if (refused_.size() >= kMostRefusals) refused_.clear();
  refused_[key] = {why, clock_.monotonic_ns()};
}

std::string Service::refusal_of(const Digest& key) const {
  std::lock_guard lock(mutex_);
  auto known = refused_.find(key);
  bool is_fresh = known != refused_.end() && clock_.monotonic_ns() - known->second.second < kRefusedNs;
  return is_fresh ? known->second.first : "";
}

FetchReply Service::take_traces(RemoteSetup&, Exchange& exchange, const FetchRequest& request, int64_t deadline_ns) {
  Limits limits;
  limits.deadline_ns = deadline_ns;
  Result<FetchedTraces> traces = exchange.fetch_traces({request.key}, limits);
  if (!traces.ok()) {
    if (traces.code() == ErrorCode::not_found) return {};
    if (traces.code() == ErrorCode::busy) return {FetchReply::suppressed, traces.error().message};
    return failed(traces.error().message);
  }
  if (!traces->refused.empty()) log_.warn("result of " + exchange.moved().crate_name + " refused: " + traces->refused);
  if (!traces->brought_newest && !traces->newest.digest.is_zero() && traces->refused.empty()) {
    // The compile will most likely ask for this one: it is on its way while the compile looks at its inputs.
    FetchRequest next{FetchRequest::record, traces->newest.digest, request.deadline_ms, request.settings, request.build};
    FlightKey key{fingerprint(next.settings), next.key};
    bool is_first = false;
    {
      std::lock_guard lock(mutex_);
      is_first = flights_.try_emplace(key).second;
    }
    if (is_first) start_flight(key, next, deadline_ns);
  }
  if (traces->candidates == 0 && !traces->brought_newest) return {FetchReply::absent, traces->refused};
  return {FetchReply::found, traces->refused};
}

// --- ahead of the build ------------------------------------------------------------------------------------------------

void Service::note_demand(const FetchRequest& request) {
  if (request.build.session.empty() || request.what != FetchRequest::traces || !config_of(request.settings).prefetch_enabled) return;
  bool is_first = false;
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
    if (is_due && !*build.cancelled && is_useless(build)) {
      *build.cancelled = true;
      log_.info("what is fetched ahead is not what the build asks for; no more of it");
    }
  }
  if (is_first) jobs_.add(Urgency::background, [this, request] { fetch_ahead(request); });
}

// Hits on what was fetched ahead do not come by here; they leave their mark on the entry.
bool Service::is_useless(const ActiveBuild& build) const {
  uint64_t useful = build.foreseen;
  for (const ActionKey& key : build.fetched) {
    Result<std::string> bytes = read_file(fs_, layout_.entry(key), kMaxEntrySize);
    Result<Entry> entry = bytes.ok() ? decode_entry(*bytes, key) : Result<Entry>(bytes.error());
    useful += entry.ok() && entry->origin != EntryOrigin::ahead;
  }
  return static_cast<double>(useful) < kLeastUse * static_cast<double>(useful + build.unforeseen);
}

Result<FetchPlan> Service::plan_for(const Config& config, RemoteSetup& setup, const Namespace& name, const std::string& root, const Limits& limits) {
  PlanLimits budget{3, config.prefetch_max_keys, config.prefetch_max_bytes};
  if (!config.planner_endpoint.empty()) {
    Advice advice = ask_planner(curl_http(), fs_, clock_, config, name.space, root);
    if (!advice.problem.empty()) log_.warn("planner: " + advice.problem);
    if (advice.kind == Advice::do_nothing) return FetchPlan{};
    if (advice.kind == Advice::execute) return lacking(fs_, layout_, std::move(advice.units), budget);
  }
  return plan_fetch(fs_, layout_, *setup.remote, name, budget, limits);
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
  counts_.prefetch_candidates += plan->units.size();
  counts_.prefetch_over_budget += plan->over_budget;
  if (plan->units.empty()) return;
  log_.info(name.space + ": " + std::to_string(plan->units.size()) + " results of " + std::to_string(plan->sessions) + " earlier builds are fetched ahead");
  std::lock_guard lock(mutex_);
  auto build = builds_.find(request.build.session);
  if (build == builds_.end()) return;
  for (const SessionUnit& unit : plan->units) build->second.planned.insert(unit.invocation);
  for (const SessionUnit& unit : plan->units) {
    jobs_.add(Urgency::background, [this, session = request.build.session, settings = request.settings, unit, deadline = limits.deadline_ns,
                                    cancelled = build->second.cancelled] { fetch_unit_ahead(session, settings, unit, deadline, cancelled); });
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
  std::vector<Reply> waiting;
  {
    std::lock_guard lock(mutex_);
    auto flight = flights_.find(key);
    waiting = std::move(flight->second.waiting);
    flights_.erase(flight);
    auto build = builds_.find(session);
    if (done.ok() && build != builds_.end()) build->second.fetched.push_back(unit.action);
  }
  FetchReply reply;
  if (done.ok()) reply.kind = FetchReply::found;
  else if (done.code() != ErrorCode::not_found) reply = failed(done.error().message);
  for (const Reply& one : waiting) one(reply);
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
  limits.deadline_ns = clock_.monotonic_ns() + 30 * kSecond;
  Result<std::string> saved = save_session(*(*setup)->remote, session, digest_bytes(build.asking.session).prefix64(), limits);
  if (!saved.ok()) return log_.warn("session of " + name.space + ": " + saved.error().message);
  counts_.sessions_saved++;
  log_.info("session of " + name.space + " saved, " + std::to_string(session.units.size()) + " units");
}

// --- publish -----------------------------------------------------------------------------------------------------------

void Service::publish(const PublishRequest& request) {
  last_active_ns_ = clock_.monotonic_ns();
  release_parked(fingerprint(request.settings), request.settings);
  queue_upload({request.key, request.settings, clock_.wall_ns()});
}

// Somebody has come with the secrets that these were waiting for.
void Service::release_parked(const Digest& with_secrets, const RemoteSettings& settings) {
  std::vector<Upload> released;
  {
    std::lock_guard lock(mutex_);
    auto parked = parked_.find(with_secrets);
    if (parked == parked_.end()) return;
    released = std::move(parked->second);
    parked_.erase(parked);
  }
  for (Upload& upload : released) {
    upload.settings = settings;
    jobs_.add(Urgency::background, [this, upload = std::move(upload)] { run_upload(upload); });
  }
}

void Service::queue_upload(Upload upload) {
  {
    std::lock_guard lock(mutex_);
    if (!uploads_.insert(upload.key).second) return;  // it is on its way
  }
  jobs_.add(Urgency::background, [this, upload = std::move(upload)] { run_upload(upload); });
}

void Service::replay_outbox() {
  Result<std::vector<DirEntry>> names = fs_.list(layout_.outbox());
  if (!names.ok()) return;
  for (const DirEntry& name : *names) {
    ActionKey key;
    if (!Digest::parse_hex(name.name, key.digest)) continue;
    Result<std::string> bytes = read_file(fs_, layout_.outgoing(key), 1 << 20);
    Result<Outgoing> outgoing = bytes.ok() ? decode_outgoing(*bytes) : Result<Outgoing>(bytes.error());
    if (!outgoing.ok() || outgoing->key != key) {
      log_.warn("outbox: " + name.name + ": " + (outgoing.ok() ? "of another result" : outgoing.error().message));
      (void)fs_.unlink(layout_.outgoing(key));
      continue;
    }
    Upload upload{key, outgoing->settings, outgoing->created_ns};
    if (fingerprint(outgoing->settings) == outgoing->with_secrets) {
      queue_upload(std::move(upload));
    } else {
      std::lock_guard lock(mutex_);
      if (uploads_.insert(key).second) parked_[outgoing->with_secrets].push_back(std::move(upload));
    }
  }
}

void Service::run_upload(Upload upload) {
  Result<std::shared_ptr<RemoteSetup>> setup = setup_of(upload.settings);
  if (!setup.ok()) return retry_or_give_up(std::move(upload), setup.error(), false);
  if (!(*setup)->can_write) {
    (void)fs_.unlink(layout_.outgoing(upload.key));
    return forget_upload(upload.key);
  }
  Limits limits;
  limits.deadline_ns = clock_.monotonic_ns() + (*setup)->timeout_ns;
  int64_t started = clock_.monotonic_ns();
  counts_.active_uploads++;
  Exchange exchange(fs_, clock_, layout_, boot_, *(*setup)->remote, (*setup)->exchange);
  Result<bool> sent = exchange.publish(upload.key, limits);
  counts_.active_uploads--;
  counts_.requests += exchange.moved().requests;
  counts_.bytes_uploaded += exchange.moved().compressed_bytes;
  if (!sent.ok() && sent.code() == ErrorCode::busy) counts_.uploads_suppressed++;
  else note_transfer("upload", upload.key.hex(), exchange.moved(), started, sent.ok());
  if (!sent.ok()) return retry_or_give_up(std::move(upload), sent.error(), exchange.is_local());
  (*sent ? counts_.uploads_completed : counts_.uploads_skipped)++;
  (void)fs_.unlink(layout_.outgoing(upload.key));
  forget_upload(upload.key);
  last_active_ns_ = clock_.monotonic_ns();
}

void Service::retry_or_give_up(Upload upload, const Error& error, bool is_local) {
  if (is_local && error.code == ErrorCode::not_found) {  // evicted meanwhile
    (void)fs_.unlink(layout_.outgoing(upload.key));
    return forget_upload(upload.key);
  }
  bool is_hopeless = is_local || is_permanent(error.code) || clock_.wall_ns() - upload.created_ns > kKeepTryingNs;
  if (is_hopeless) return give_up(upload, error.message);
  upload.attempts++;
  if (upload.attempts == 1) log_.warn("upload " + upload.key.hex().substr(0, 12) + ": " + error.message + "; it is tried again");
  if (hurries_) return forget_upload(upload.key);
  int64_t longest = std::min(kLongestRetryNs, kFirstRetryNs << std::min(upload.attempts - 1, 10));
  int64_t delay = 0;
  {
    std::lock_guard lock(mutex_);
    delay = longest / 2 + static_cast<int64_t>(random_() % static_cast<uint64_t>(longest / 2 + 1));
  }
  jobs_.add_later(delay, [this, upload = std::move(upload)] {
    if (hurries_) return forget_upload(upload.key);
    run_upload(upload);
  });
}

// It stays to be looked at for a week, and is not tried again.
void Service::give_up(const Upload& upload, const std::string& why) {
  counts_.uploads_failed++;
  log_.warn("upload " + upload.key.hex().substr(0, 12) + " is given up: " + why);
  Outgoing failed{upload.key, upload.created_ns, without_secrets(upload.settings), fingerprint(upload.settings), why};
  (void)make_dirs(fs_, layout_.failed_outbox(), 0700);
  (void)replace_file(fs_, layout_.failed_outbox() + "/" + upload.key.hex(), encode_outgoing(failed), 0600);
  (void)fs_.unlink(layout_.outgoing(upload.key));
  forget_upload(upload.key);
}

void Service::forget_upload(const ActionKey& key) {
  std::lock_guard lock(mutex_);
  uploads_.erase(key);
}

void Service::hurry() { hurries_ = true; }

// --- what can be seen --------------------------------------------------------------------------------------------------

bool Service::is_busy() const { return jobs_.running() > 0 || jobs_.waiting() > 0; }

uint64_t Service::pending_uploads() const {
  std::lock_guard lock(mutex_);
  return uploads_.size();
}

void Service::note_transfer(const char* direction, const std::string& key, const Moved& moved, int64_t started_ns, bool ok) {
  append_transfer(fs_, layout_, {direction, key, moved, clock_.wall_ns(), (clock_.monotonic_ns() - started_ns) / 1'000'000, ok});
}

nlohmann::ordered_json Service::status() const {
  nlohmann::ordered_json json;
  json["pending_uploads"] = pending_uploads();
  json["active_downloads"] = counts_.active_downloads.load();
  json["active_uploads"] = counts_.active_uploads.load();
  json["s3_concurrency_total"] = jobs_.threads();
  json["s3_concurrency_used"] = jobs_.running();
  json["uploads_completed"] = counts_.uploads_completed.load();
  json["uploads_failed"] = counts_.uploads_failed.load();
  json["uploads_skipped"] = counts_.uploads_skipped.load();
  json["uploads_suppressed"] = counts_.uploads_suppressed.load();
  json["downloads_completed"] = counts_.downloads_completed.load();
  json["downloads_failed"] = counts_.downloads_failed.load();
  json["downloads_suppressed"] = counts_.downloads_suppressed.load();
  json["remote_checks"] = counts_.fetches.load();
  json["remote_checks_joined"] = counts_.joined.load();
  json["remote_checks_absent"] = counts_.absent.load();
  json["remote_requests"] = counts_.requests.load();
  json["bytes_uploaded"] = counts_.bytes_uploaded.load();
  json["bytes_downloaded"] = counts_.bytes_downloaded.load();
  json["prefetch"] = {{"plans", counts_.prefetch_plans.load()},
                      {"last_plan_candidates", counts_.prefetch_candidates.load()},
                      {"downloads_completed", counts_.prefetch_completed.load()},
                      {"bytes_downloaded", counts_.prefetch_bytes.load()},
                      {"keys_cancelled", counts_.prefetch_cancelled.load()},
                      {"keys_over_budget", counts_.prefetch_over_budget.load()},
                      {"sessions_saved", counts_.sessions_saved.load()}};
  nlohmann::ordered_json remotes = nlohmann::ordered_json::array();
  bool is_degraded = false;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, setup] : setups_) {
      for (const TierReport& tier : setup->remote->report()) {
        bool reads_shut = tier.read_state != CircuitBreaker::State::closed, writes_shut = tier.write_state != CircuitBreaker::State::closed;
        is_degraded = is_degraded || reads_shut || writes_shut;
        remotes.push_back({{"description", tier.description}, {"reads", tier.reads}, {"writes", tier.writes},
                           {"reads_suspended", reads_shut}, {"writes_suspended", writes_shut},
                           {"suppressed_reads", tier.suppressed_reads}, {"suppressed_writes", tier.suppressed_writes},
                           {"negative_hits", tier.suppressed_misses}, {"fills", tier.fills}, {"failed_fills", tier.failed_fills}});
      }
    }
    for (const auto& [name, problem] : broken_) remotes.push_back({{"error", problem.first}});
  }
  json["remote_degraded"] = is_degraded;
  json["remotes"] = std::move(remotes);
  return json;
}

}  // namespace kache
