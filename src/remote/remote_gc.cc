#include "remote/remote_gc.h"

#include <algorithm>
#include <set>

#include "remote/envelope.h"
#include "remote/record.h"
#include "remote/session.h"

namespace kache {
namespace {

constexpr std::string_view kLeaseName = "gc-lease";

class RemoteCollection {
 public:
  RemoteCollection(Remote& remote, Clock& clock, const RemoteGcLimits& limits) : remote_(remote), clock_(clock), limits_(limits) {}

  Result<RemoteGcReport> run() {
    KACHE_TRY(take_lease());
    Status done = stages();
    if (!limits_.dry_run) (void)remote_.remove(lease_, bounds());
    if (!done.ok()) return std::move(done).error();
    return report_;
  }

 private:
  Limits bounds() const {
    Limits limits;
    limits.deadline_ns = clock_.monotonic_ns() + int64_t{600} * 1'000'000'000;
    return limits;
  }

  Status stages() {
    KACHE_TRY(read_sessions());
    KACHE_TRY(judge_records());
    KACHE_TRY(sweep_traces());
    KACHE_TRY(sweep_packs());
    return sweep_blobs();
  }

  // A dry run has none: it looks, and that may be wrong a moment later anyway.
  Status take_lease() {
    if (!limits_.dry_run) {
      Status taken = put_bytes(remote_, lease_, "kache remote gc", if_absent(), bounds());
      if (!taken.ok() && taken.code() != ErrorCode::exists) return taken;
      if (!taken.ok()) {
        int64_t taken_ns = KACHE_TRY(modified(lease_));
        int64_t age = KACHE_TRY(remote_now()) - taken_ns;
        if (age < kLeaseNs) return Error{ErrorCode::busy, 0, "another collection is running; its lease ends within the hour"};
        KACHE_TRY(put_bytes(remote_, lease_, "kache remote gc", {}, bounds()));  // it died
      }
      Result<int64_t> now = modified(lease_);
      if (!now.ok()) {
        (void)remote_.remove(lease_, bounds());
        return std::move(now).error();
      }
      now_ = *now;
    } else {
      now_ = clock_.wall_ns();
    }
    return Ok{};
  }

  // When it was written, by the remote's clock.
  Result<int64_t> modified(const ObjectName& name) {
    int64_t at = 0;
    KACHE_TRY(remote_.list(name.kind(), name.text(), [&](const ListedObject& object) -> Status {
      if (object.name == name) at = object.modified_ns;
      return Ok{};
    }, bounds()));
    if (at == 0) return Error{ErrorCode::unsupported, 0, "this remote does not tell how old its objects are; give them an expiry there (redis: ttl=30d)"};
    return at;
  }

  // Ours may be wrong: a lease would never end, or one that is held would be taken.
  Result<int64_t> remote_now() {
    ObjectName name = ObjectName::control("gc-clock-" + std::to_string(clock_.monotonic_ns()));
    KACHE_TRY(put_bytes(remote_, name, "kache remote gc", {}, bounds()));
    Result<int64_t> now = modified(name);
    (void)remote_.remove(name, bounds());
    return now;
  }

  bool is_older(const ListedObject& object, int64_t age_ns) const { return object.modified_ns != 0 && now_ - object.modified_ns > age_ns; }

  Status remove(const ListedObject& object, uint64_t& count) {
    if (!limits_.dry_run) KACHE_TRY(remote_.remove(object.name, bounds()));
    count++;
    report_.bytes += object.size;
    return Ok{};
  }

  Result<std::string> payload_of(const ObjectName& name) {
    StringSink sink;
    Limits limits = bounds();
    limits.max_bytes = kMaxRemoteObject;
    KACHE_TRY(remote_.get(name, sink, limits));
    static const Trust kAnybody;  // what it names stays; that needs nobody's word
    Opened opened = KACHE_TRY(open_envelope(name, sink.bytes(), kAnybody, kMaxRemotePayload));
    return std::move(opened.payload);
  }

  // The remote did not say what is there, or that it is gone: nothing can be judged by that.
  static bool is_unknown(const Result<std::string>& payload) {
    if (payload.ok()) return false;
    return payload.code() != ErrorCode::not_found && payload.code() != ErrorCode::corrupt && payload.code() != ErrorCode::too_large;
  }

  Result<std::vector<ListedObject>> all_of(ObjectKind kind) {
    std::vector<ListedObject> objects;
    KACHE_TRY(remote_.list(kind, kind_prefix(kind), [&](const ListedObject& object) -> Status {
      objects.push_back(object);
      return Ok{};
    }, bounds()));
    return objects;
  }

  Status read_sessions() {
    for (const ListedObject& object : KACHE_TRY(all_of(ObjectKind::session))) {
      if (is_older(object, std::max(limits_.max_age_ns, limits_.grace_ns))) {
        KACHE_TRY(remove(object, report_.sessions));
        continue;
      }
      Result<std::string> payload = payload_of(object.name);
      if (is_unknown(payload)) return std::move(payload).error();
      Result<RecordedSession> session = payload.ok() ? decode_session(*payload) : Result<RecordedSession>(payload.error());
      if (!session.ok()) continue;
      for (const SessionUnit& unit : session->units) asked_for_.insert(unit.action);
      for (const PackRef& pack : session->packs) packs_.insert(pack.name);
    }
    return Ok{};
  }

  Status judge_records() {
    for (const ListedObject& object : KACHE_TRY(all_of(ObjectKind::record))) {
      ActionKey key{object.name.digest()};
      bool is_old = is_older(object, std::max(limits_.max_age_ns, limits_.grace_ns));
      if (is_old && asked_for_.count(key) == 0) {
        KACHE_TRY(remove(object, report_.records));
        continue;
      }
      Result<std::string> payload = payload_of(object.name);
      if (is_unknown(payload)) return std::move(payload).error();
      Result<RemoteRecord> record = payload.ok() ? decode_record(*payload, key) : Result<RemoteRecord>(payload.error());
      if (!record.ok() && is_older(object, limits_.grace_ns)) {  // of no use to anybody
        KACHE_TRY(remove(object, report_.records));
        continue;
      }
      if (!record.ok()) continue;
      live_.insert(key);
      report_.kept_records++;
      for (const Output& output : record->entry.outputs) {
        if (output.content == OutputContent::blob) blobs_.insert(output.blob);
      }
    }
    return Ok{};
  }

  Status sweep_traces() {
    for (const ListedObject& object : KACHE_TRY(all_of(ObjectKind::traces))) {
      if (!is_older(object, limits_.grace_ns)) continue;
      Result<std::string> payload = payload_of(object.name);
      if (is_unknown(payload)) return std::move(payload).error();
      Result<RemoteTraces> traces = payload.ok() ? decode_remote_traces(*payload, {object.name.digest()}) : Result<RemoteTraces>(payload.error());
      bool leads_somewhere = traces.ok() && std::any_of(traces->traces.candidates.begin(), traces->traces.candidates.end(),
                                                        [&](const Candidate& one) { return live_.count(one.action) != 0; });
      if (!leads_somewhere) KACHE_TRY(remove(object, report_.traces));
    }
    return Ok{};
  }

  Status sweep_packs() {
    for (const ListedObject& object : KACHE_TRY(all_of(ObjectKind::pack))) {
      if (is_older(object, limits_.grace_ns) && packs_.count(object.name.digest()) == 0) KACHE_TRY(remove(object, report_.packs));
    }
    return Ok{};
  }

  Status sweep_blobs() {
    for (const ListedObject& object : KACHE_TRY(all_of(ObjectKind::blob))) {
      if (is_older(object, limits_.grace_ns) && blobs_.count({object.name.digest()}) == 0) KACHE_TRY(remove(object, report_.blobs));
    }
    return Ok{};
  }

  Remote& remote_;
  Clock& clock_;
  const RemoteGcLimits& limits_;
  ObjectName lease_ = ObjectName::control(kLeaseName);
  int64_t now_ = 0;  // of the remote
  std::set<ActionKey> asked_for_, live_;
  std::set<BlobId> blobs_;
  std::set<Digest> packs_;
  RemoteGcReport report_;
};

}  // namespace

Result<RemoteGcReport> collect_remote(Remote& remote, Clock& clock, const RemoteGcLimits& limits) {
  return RemoteCollection(remote, clock, limits).run();
}

}  // namespace kache
