// What a compile waits for.
#include "daemon/service.h"

#include <algorithm>

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kLongestDemandNs = 3 * kSecond;
constexpr size_t kMostRefusals = 4096;
constexpr int64_t kRefusedNs = 60 * kSecond;
constexpr int64_t kPackPatienceNs = kSecond / 4;  // how long a compile waits for what a pack brings, before it is fetched alone

// In how long so much of it will have arrived, if it goes on as it has begun. Where nothing has arrived yet nothing is known: 0.
int64_t expected_wait_ns(int64_t elapsed_ns, uint64_t arrived, uint64_t wanted) {
  if (arrived == 0 || wanted <= arrived) return 0;
  return static_cast<int64_t>(static_cast<double>(elapsed_ns) * static_cast<double>(wanted - arrived) / static_cast<double>(arrived));
}

}  // namespace

void Service::note_idle_timeout(const Config& config) {
  uint64_t idle = config.daemon_idle_timeout_secs;
  if (idle == 0) never_idle_ = true;
  else idle_timeout_secs_ = std::max(idle_timeout_secs_.load(), idle);
}

void Service::fetch(const FetchRequest& request, Reply reply) {
  last_active_ns_ = clock_.monotonic_ns();
  counts_.fetches++;
  note_idle_timeout(config_of(request.settings));
  FlightKey key{fingerprint(request.settings), request.key};
  int64_t now = clock_.monotonic_ns();
  int64_t wait = std::min<int64_t>(int64_t{request.deadline_ms} * 1'000'000, kLongestDemandNs);
  int64_t patience = std::min(wait / 2, kPackPatienceNs);
  bool is_first = false, waits_for_pack = false;
  int64_t pack_wait = 0;
  {
    std::lock_guard lock(mutex_);
    auto [place, is_new] = flights_.try_emplace(key);
    Flight& flight = place->second;
    is_first = is_new;
    waits_for_pack = flight.pack && flight.waiting.empty();
    if (waits_for_pack) {
      flight.request = request;
      flight.deadline_ns = now + wait;
      pack_wait = expected_wait_ns(now - flight.pack->started_ns, flight.pack->arrived, flight.pack_end);
    }
    flight.waiting.push_back(std::move(reply));
  }
  release_parked(key.first, request.settings);
  if (is_first || waits_for_pack) note_demand(request);
  if (!is_first) counts_.joined++;
  if (is_first) start_flight(key, request, now + wait);
  else if (waits_for_pack && pack_wait > patience) leave_pack(key);
  else if (waits_for_pack) jobs_.add_later(patience, [this, key] { leave_pack(key); }, Urgency::demand);
}

void Service::leave_pack(const FlightKey& key) {
  FetchRequest request;
  int64_t deadline = 0;
  {
    std::lock_guard lock(mutex_);
    auto flight = flights_.find(key);
    if (flight == flights_.end() || !flight->second.pack || flight->second.waiting.empty()) return;
    flight->second.pack = nullptr;
    request = flight->second.request;
    deadline = flight->second.deadline_ns;
  }
  start_flight(key, request, deadline);
}

void Service::drop_from_pack(const FlightKey& key, const std::shared_ptr<PackFlight>& pack) {
  {
    std::lock_guard lock(mutex_);
    auto flight = flights_.find(key);
    if (flight != flights_.end() && flight->second.pack == pack && flight->second.waiting.empty()) flights_.erase(flight);
  }
  leave_pack(key);
}

// There need be none any more: a pack may have brought it meanwhile.
void Service::end_flight(const FlightKey& key, const FetchReply& answer) {
  std::vector<Reply> waiting;
  {
    std::lock_guard lock(mutex_);
    auto flight = flights_.find(key);
    if (flight == flights_.end()) return;
    waiting = std::move(flight->second.waiting);
    flights_.erase(flight);
  }
  for (const Reply& reply : waiting) reply(answer);
}

void Service::start_flight(const FlightKey& key, const FetchRequest& request, int64_t deadline_ns) {
  jobs_.add(Urgency::demand, [this, key, request, deadline_ns] {
    end_flight(key, run_fetch(request, deadline_ns));
    last_active_ns_ = clock_.monotonic_ns();
  });
}

FetchReply Service::run_fetch(const FetchRequest& request, int64_t deadline_ns) {
  Result<std::shared_ptr<RemoteSetup>> setup = setup_of(request.settings);
  if (!setup.ok()) return failed_reply(setup.error().message);
  if (!(*setup)->can_read) return {};
  if (clock_.monotonic_ns() >= deadline_ns) return failed_reply("no thread was free in time");
  counts_.active_downloads++;
  int64_t started = clock_.monotonic_ns();
  Exchange exchange(fs_, clock_, layout_, boot_, *(*setup)->remote, (*setup)->exchange);
  FetchReply reply;
  if (request.what == FetchRequest::traces) {
    reply = take_traces(exchange, request, deadline_ns);
  } else {
    Limits limits;
    limits.deadline_ns = deadline_ns;
    Status done = exchange.fetch_record({request.key}, limits);
    if (done.ok()) reply.kind = FetchReply::found;
    else if (done.code() == ErrorCode::busy) reply = {FetchReply::suppressed, done.error().message};
    else if (done.code() != ErrorCode::not_found) reply = failed_reply(done.error().message);
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

FetchReply Service::take_traces(Exchange& exchange, const FetchRequest& request, int64_t deadline_ns) {
  Limits limits;
  limits.deadline_ns = deadline_ns;
  Result<FetchedTraces> traces = exchange.fetch_traces({request.key}, limits);
  if (!traces.ok()) {
    if (traces.code() == ErrorCode::not_found) return {};
    if (traces.code() == ErrorCode::busy) return {FetchReply::suppressed, traces.error().message};
    return failed_reply(traces.error().message);
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

}  // namespace kache
