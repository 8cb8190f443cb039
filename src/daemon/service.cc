#include "daemon/service.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/path.h"
#include "daemon/transfer_log.h"

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kLongestDemandNs = 3 * kSecond;
constexpr int64_t kFirstRetryNs = 5 * kSecond, kLongestRetryNs = 300 * kSecond;
constexpr int64_t kKeepTryingNs = int64_t{24} * 3600 * kSecond;
constexpr int64_t kBrokenNs = 30 * kSecond;  // how long settings that can not be used are not looked at again
constexpr size_t kMostSetups = 64;

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
  std::vector<Upload> released;
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
    Flight& flight = flights_[key];
    is_first = flight.waiting.empty();
    flight.waiting.push_back(std::move(reply));
    // Somebody has come with the secrets that these were waiting for.
    auto parked = parked_.find(key.first);
    if (parked != parked_.end()) {
      for (Upload& upload : parked->second) {
        upload.settings = request.settings;
        jobs_.add(Urgency::background, [this, upload] { run_upload(upload); });
      }
      parked_.erase(parked);
    }
  }
  if (!is_first) {
    counts_.joined++;
    return;
  }
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
    FetchRequest next{FetchRequest::record, traces->newest.digest, request.deadline_ms, request.settings};
    FlightKey key{fingerprint(next.settings), next.key};
    bool is_first = false;
    {
      std::lock_guard lock(mutex_);
      Flight& flight = flights_[key];
      is_first = flight.waiting.empty();
      flight.waiting.push_back([](const FetchReply&) {});
    }
    if (is_first) start_flight(key, next, deadline_ns);
  }
  if (traces->candidates == 0 && !traces->brought_newest) return {FetchReply::absent, traces->refused};
  return {FetchReply::found, traces->refused};
}

// --- publish -----------------------------------------------------------------------------------------------------------

void Service::publish(const PublishRequest& request) {
  last_active_ns_ = clock_.monotonic_ns();
  queue_upload({request.key, request.settings, clock_.wall_ns()});
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
