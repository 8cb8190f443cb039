#include "remote/guarded_remote.h"

namespace kache {
namespace {

// Remember whether it was the caller's end that failed.
class WatchedSink final : public Sink {
 public:
  explicit WatchedSink(Sink& sink) : sink_(sink) {}
  Status write(std::string_view bytes) override {
    Status status = sink_.write(bytes);
    failed |= !status.ok();
    return status;
  }
  bool failed = false;

 private:
  Sink& sink_;
};

class WatchedSource final : public Source {
 public:
  explicit WatchedSource(Source& source) : source_(source) {}
  uint64_t size() const override { return source_.size(); }
  Status rewind() override {
    Status status = source_.rewind();
    failed |= !status.ok();
    return status;
  }
  Result<size_t> read(char* buffer, size_t size) override {
    Result<size_t> got = source_.read(buffer, size);
    failed |= !got.ok();
    return got;
  }
  bool failed = false;

 private:
  Source& source_;
};

// Who gave up, or could not go on, has learned nothing about the remote: its permit is dropped.
template <typename T>
void report(CircuitBreaker::Permit permit, const Result<T>& result, bool our_end_failed, const Limits& limits) {
  if (result.ok()) return permit.succeeded();
  bool cancelled = limits.cancelled && limits.cancelled->load(std::memory_order_relaxed);
  if (!our_end_failed && !cancelled) permit.failed(fault_of(result.code()));
}

}  // namespace

Result<CircuitBreaker::Permit> GuardedRemote::admit(CircuitBreaker& breaker, std::string_view doing) {
  std::optional<CircuitBreaker::Permit> permit = breaker.admit();
  if (permit) return std::move(*permit);
  int64_t seconds = breaker.shut_for_ns() / 1'000'000'000 + 1;
  return Error{ErrorCode::busy, 0, remote_->description() + ": no " + std::string(doing) + " for " + std::to_string(seconds) + " s, it failed several times"};
}

Result<std::string> GuardedRemote::get(const ObjectName& name, Sink& sink, const Limits& limits) {
  if (absent_.is_absent(name)) return Error{ErrorCode::not_found, 0, description() + ": said that it has no " + name.text()};
  CircuitBreaker::Permit permit = KACHE_TRY(admit(reads_, "reads"));
  NegativeCache::Epoch seen = absent_.look();
  WatchedSink watched(sink);
  Result<std::string> version = remote_->get(name, watched, limits);
  report(std::move(permit), version, watched.failed, limits);
  if (!version.ok() && !watched.failed && version.code() == ErrorCode::not_found) absent_.record_absent(name, seen);
  return version;
}

Status GuardedRemote::put(const ObjectName& name, Source& source, const PutCondition& condition, const Limits& limits) {
  uint64_t largest = largest_object();
  if (largest != 0 && source.size() > largest) {  // without a permit: it is not asked
    return Error{ErrorCode::too_large, 0, description() + ": takes up to " + std::to_string(largest) + " bytes, not " + std::to_string(source.size())};
  }
  CircuitBreaker::Permit permit = KACHE_TRY(admit(writes_, "writes"));
  WatchedSource watched(source);
  Status status = remote_->put(name, watched, condition, limits);
  report(std::move(permit), status, watched.failed, limits);
  absent_.forget(name);  // whatever came of it: it may have arrived
  return status;
}

Result<bool> GuardedRemote::has(const ObjectName& name, const Limits& limits) {
  if (absent_.is_absent(name)) return false;
  CircuitBreaker::Permit permit = KACHE_TRY(admit(reads_, "reads"));
  NegativeCache::Epoch seen = absent_.look();
  Result<bool> found = remote_->has(name, limits);
  report(std::move(permit), found, false, limits);
  if (found.ok() && !*found) absent_.record_absent(name, seen);
  return found;
}

Status GuardedRemote::list(ObjectKind kind, const std::string& prefix, const Visit& visit, const Limits& limits) {
  CircuitBreaker::Permit permit = KACHE_TRY(admit(reads_, "reads"));
  bool visit_failed = false;
  Visit watched = [&](const ListedObject& one) {
    absent_.forget(one.name);
    Status status = visit(one);
    visit_failed |= !status.ok();
    return status;
  };
  Status status = remote_->list(kind, prefix, watched, limits);
  report(std::move(permit), status, visit_failed, limits);
  return status;
}

Status GuardedRemote::remove(const ObjectName& name, const Limits& limits) {
  CircuitBreaker::Permit permit = KACHE_TRY(admit(writes_, "writes"));
  Status status = remote_->remove(name, limits);
  report(std::move(permit), status, false, limits);
  return status;
}

}  // namespace kache
