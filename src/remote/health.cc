#include "remote/health.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <random>

namespace kache {
namespace {

struct CodeRow {
  ErrorCode code;
  Fault fault;
};
constexpr CodeRow kCodes[] = {
    {ErrorCode::not_found, Fault::miss},
    {ErrorCode::exists, Fault::miss},
    {ErrorCode::corrupt, Fault::integrity},
    {ErrorCode::unsupported, Fault::configuration},
    {ErrorCode::denied, Fault::authentication},
    {ErrorCode::no_space, Fault::transient},  // of the remote: somebody or its expiry will make room
    {ErrorCode::busy, Fault::transient},
    {ErrorCode::invalid, Fault::configuration},
    {ErrorCode::too_large, Fault::local},  // the bound is ours, or the object is what it is
    {ErrorCode::timed_out, Fault::timeout},
    {ErrorCode::io, Fault::transient},
};

struct FaultRow {
  Fault fault;
  std::string_view name;
  bool poisons, passes;
};
constexpr FaultRow kFaults[] = {
    {Fault::miss, "miss", false, false},
    {Fault::transient, "transient", true, true},
    {Fault::timeout, "timeout", true, true},
    {Fault::authentication, "authentication", false, false},
    {Fault::configuration, "configuration", false, false},
    {Fault::integrity, "integrity", false, false},
    {Fault::local, "local", false, false},
};

const FaultRow& row_of(Fault fault) {
  return *std::find_if(std::begin(kFaults), std::end(kFaults), [&](const FaultRow& row) { return row.fault == fault; });
}

}  // namespace

Fault fault_of(ErrorCode code) {
  return std::find_if(std::begin(kCodes), std::end(kCodes), [&](const CodeRow& row) { return row.code == code; })->fault;
}
std::string_view fault_name(Fault fault) { return row_of(fault).name; }
bool is_poisoning(Fault fault) { return row_of(fault).poisons; }
bool is_worth_a_retry(Fault fault) { return row_of(fault).passes; }

// --- CircuitBreaker -----------------------------------------------------------------------------------------------------

std::string_view state_name(CircuitBreaker::State state) {
  switch (state) {
    case CircuitBreaker::State::closed: return "closed";
    case CircuitBreaker::State::open: return "open";
    case CircuitBreaker::State::half_open: return "half-open";
  }
  return "";
}

void CircuitBreaker::enter(State state) {
  state_ = state;
  ++epoch_;
  failures_ = 0;
  if (state == State::open) opened_ns_ = clock_.monotonic_ns();
}

std::optional<CircuitBreaker::Permit> CircuitBreaker::admit() {
  std::lock_guard lock(mutex_);
  if (state_ == State::open && clock_.monotonic_ns() - opened_ns_ >= settings_.open_ns) {
    enter(State::half_open);
    return Permit(this, epoch_);
  }
  if (state_ != State::closed) {
    ++suppressed_;
    return std::nullopt;
  }
  return Permit(this, epoch_);
}

void CircuitBreaker::hear(uint64_t epoch, bool poisoning) {
  std::lock_guard lock(mutex_);
  if (epoch != epoch_) return;
  if (state_ == State::half_open) return enter(poisoning ? State::open : State::closed);
  failures_ = poisoning ? failures_ + 1 : 0;
  if (failures_ >= settings_.failures) enter(State::open);
}

void CircuitBreaker::drop(uint64_t epoch) {
  std::lock_guard lock(mutex_);
  if (epoch == epoch_ && state_ == State::half_open) enter(State::open);
}

CircuitBreaker::State CircuitBreaker::state() const {
  std::lock_guard lock(mutex_);
  return state_;
}

int64_t CircuitBreaker::shut_for_ns() const {
  std::lock_guard lock(mutex_);
  if (state_ == State::closed) return 0;
  if (state_ == State::half_open) return settings_.open_ns;
  return std::max<int64_t>(0, settings_.open_ns - (clock_.monotonic_ns() - opened_ns_));
}

uint64_t CircuitBreaker::suppressed() const {
  std::lock_guard lock(mutex_);
  return suppressed_;
}

// --- NegativeCache ------------------------------------------------------------------------------------------------------

NegativeCache::Epoch NegativeCache::look() const {
  std::lock_guard lock(mutex_);
  return now_;
}

void NegativeCache::drop(const std::string& name) {
  auto found = by_name_.find(name);
  if (found == by_name_.end()) return;
  absences_.erase(found->second);
  by_name_.erase(found);
}

void NegativeCache::record_absent(const ObjectName& name, Epoch seen) {
  std::lock_guard lock(mutex_);
  if (seen < floor_ || settings_.names == 0) return;
  auto changed = changed_.find(name.text());
  if (changed != changed_.end() && changed->second > seen) return;
  drop(name.text());
  if (absences_.size() >= settings_.names) {
    by_name_.erase(absences_.front().name);
    absences_.pop_front();
  }
  absences_.push_back({name.text(), clock_.monotonic_ns() + settings_.ttl_ns});
  by_name_[name.text()] = std::prev(absences_.end());
}

bool NegativeCache::is_absent(const ObjectName& name) {
  std::lock_guard lock(mutex_);
  auto found = by_name_.find(name.text());
  if (found == by_name_.end()) return false;
  if (found->second->ends_ns <= clock_.monotonic_ns()) {
    drop(name.text());
    return false;
  }
  ++suppressed_;
  return true;
}

void NegativeCache::forget(const ObjectName& name) {
  std::lock_guard lock(mutex_);
  drop(name.text());
  ++now_;
  if (changed_.size() >= 2 * settings_.names) {
    changed_.clear();
    floor_ = now_;
  }
  changed_[name.text()] = now_;
}

size_t NegativeCache::size() const {
  std::lock_guard lock(mutex_);
  return absences_.size();
}

uint64_t NegativeCache::suppressed() const {
  std::lock_guard lock(mutex_);
  return suppressed_;
}

// --- Backoff ------------------------------------------------------------------------------------------------------------

Backoff::Backoff(BackoffSettings settings, Random random) : settings_(settings), random_(std::move(random)) {
  if (!random_) random_ = [engine = std::make_shared<std::mt19937_64>(std::random_device{}())] { return (*engine)(); };
}

int64_t Backoff::next_ns(int64_t at_least_ns) {
  window_ns_ = window_ns_ == 0 ? settings_.first_ns : window_ns_ > settings_.most_ns / 2 ? settings_.most_ns : 2 * window_ns_;
  window_ns_ = std::min(window_ns_, settings_.most_ns);
  auto part = static_cast<int64_t>(random_() % (static_cast<uint64_t>(window_ns_) + 1));
  return std::max(at_least_ns, std::min(settings_.most_ns, at_least_ns + part));
}

}  // namespace kache
