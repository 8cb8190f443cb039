// GuardedRemote: a remote that is not asked when there is no point: it has just failed several times, or has just said that
// it has no such object. health.h says when.
//
// Knows how the calls end; unaware of what is in the objects. What is not asked because the remote is shut is `busy`.
#pragma once

#include <memory>
#include <string>

#include "remote/health.h"
#include "remote/remote.h"

namespace kache {

struct GuardSettings {
  BreakerSettings breaker;
  NegativeSettings negative;
};

class GuardedRemote final : public Remote {
 public:
  GuardedRemote(std::unique_ptr<Remote> remote, Clock& clock, const GuardSettings& settings = {})
      : remote_(std::move(remote)), reads_(clock, settings.breaker), writes_(clock, settings.breaker), absent_(clock, settings.negative) {}

  std::string description() const override { return remote_->description(); }
  uint64_t largest_object() const override { return remote_->largest_object(); }
  Result<std::string> get(const ObjectName& name, Sink& sink, const Limits& limits) override;
  Status put(const ObjectName& name, Source& source, const PutCondition& condition, const Limits& limits) override;
  Result<bool> has(const ObjectName& name, const Limits& limits) override;
  Status list(ObjectKind kind, const std::string& prefix, const Visit& visit, const Limits& limits) override;
  Status remove(const ObjectName& name, const Limits& limits) override;

  // For a while it is as if the remote had no such object: what it has is wrong.
  void treat_as_absent(const ObjectName& name) { absent_.record_absent(name, absent_.look()); }

  const CircuitBreaker& reads() const { return reads_; }
  const CircuitBreaker& writes() const { return writes_; }
  const NegativeCache& absent() const { return absent_; }

 private:
  Result<CircuitBreaker::Permit> admit(CircuitBreaker& breaker, std::string_view doing);

  std::unique_ptr<Remote> remote_;
  CircuitBreaker reads_, writes_;
  NegativeCache absent_;
};

}  // namespace kache
