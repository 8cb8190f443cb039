// How a remote is doing, and what not to ask it for a while: so that one that is dead or slow costs a build a few seconds
// once, and not a few for each file.
//
// Knows outcomes of calls; makes none. Time is the monotonic hand of the Clock. Everything may be used from several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "remote/object_name.h"

namespace kache {

// --- what a failure says ------------------------------------------------------------------------------------------------

enum class Fault : uint8_t {
  miss,            // an answer: it is not there, or it is there already
  transient,       // may work the next time
  timeout,
  authentication,  // the same next time, until somebody changes credentials or rights
  configuration,   // the same next time, until somebody changes the settings
  integrity,       // it answers, and what it says is wrong
  local,           // of this machine or of this object; says nothing about the remote
};

Fault fault_of(ErrorCode code);
std::string_view fault_name(Fault fault);
// Whether it counts against the health of the remote.
bool is_poisoning(Fault fault);
// Whether the same call is worth another try later.
bool is_worth_a_retry(Fault fault);

// --- whether to ask at all ----------------------------------------------------------------------------------------------

struct BreakerSettings {
  int failures = 3;  // that count, one after the other
  int64_t open_ns = int64_t{45} * 1'000'000'000;
};

// Closed, everything is asked. Open, nothing is. When its time is over exactly one caller is let through (half open), and
// how that goes decides. One of these for reads and one for writes: a full disk there does not stop reading.
class CircuitBreaker {
 public:
  enum class State : uint8_t { closed, open, half_open };

  // The right to one call. Says what came of it, or is dropped: nothing is known then, and the remote stays shut if this was
  // the one call that should have found out. What comes after the state has changed is not heard. Move-only.
  class Permit {
   public:
    Permit(Permit&& other) noexcept : breaker_(std::exchange(other.breaker_, nullptr)), epoch_(other.epoch_) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (breaker_) breaker_->drop(epoch_);
    }
    void succeeded() { tell(false); }
    void failed(Fault fault) { tell(is_poisoning(fault)); }

   private:
    friend class CircuitBreaker;
    Permit(CircuitBreaker* breaker, uint64_t epoch) : breaker_(breaker), epoch_(epoch) {}
    void tell(bool poisoning) {
      if (CircuitBreaker* breaker = std::exchange(breaker_, nullptr)) breaker->hear(epoch_, poisoning);
    }
    CircuitBreaker* breaker_;
    uint64_t epoch_;
  };

  explicit CircuitBreaker(Clock& clock, BreakerSettings settings = {}) : clock_(clock), settings_(settings) {}

  // Nothing: do not ask. It is counted.
  std::optional<Permit> admit();

  State state() const;
  // Until admit() may say yes; 0 when it does. While a probe is under way: as if it failed now.
  int64_t shut_for_ns() const;
  uint64_t suppressed() const;

 private:
  void hear(uint64_t epoch, bool poisoning);
  void drop(uint64_t epoch);
  void enter(State state);  // REQUIRES: mutex_ is held

  Clock& clock_;
  const BreakerSettings settings_;
  mutable std::mutex mutex_;  // all below
  State state_ = State::closed;
  uint64_t epoch_ = 0;  // of the state: permits of an earlier one have nothing to say
  int failures_ = 0;
  int64_t opened_ns_ = 0;
  uint64_t suppressed_ = 0;
};

std::string_view state_name(CircuitBreaker::State state);

// --- what is known to be missing ----------------------------------------------------------------------------------------

struct NegativeSettings {
  int64_t ttl_ns = int64_t{60} * 1'000'000'000;
  size_t names = 16'384;
};

// Names that a remote has said it has not. An absence that was seen before a put of the same name ended is not recorded
// after it: whoever looks takes an Epoch before the request and hands it in with the answer.
class NegativeCache {
 public:
  using Epoch = uint64_t;

  explicit NegativeCache(Clock& clock, NegativeSettings settings = {}) : clock_(clock), settings_(settings) {}

  Epoch look() const;
  void record_absent(const ObjectName& name, Epoch seen);
  // Counts those of which it is true.
  bool is_absent(const ObjectName& name);
  // It is there now, or may be: after each put, however that ended, and for what a listing shows.
  void forget(const ObjectName& name);

  size_t size() const;
  uint64_t suppressed() const;

 private:
  struct Absence {
    std::string name;
    int64_t ends_ns;
  };
  void drop(const std::string& name);  // REQUIRES: mutex_ is held

  Clock& clock_;
  const NegativeSettings settings_;
  mutable std::mutex mutex_;  // all below
  std::list<Absence> absences_;  // the oldest first
  std::unordered_map<std::string, std::list<Absence>::iterator> by_name_;
  std::unordered_map<std::string, Epoch> changed_;  // at most twice `names`
  Epoch now_ = 0, floor_ = 0;  // below the floor it is forgotten what changed
  uint64_t suppressed_ = 0;
};

// --- when to try again --------------------------------------------------------------------------------------------------

struct BackoffSettings {
  int64_t first_ns = int64_t{500} * 1'000'000;
  int64_t most_ns = int64_t{60} * 1'000'000'000;
};

// Waits that double, each a random part of the whole ("full jitter"), so that many clients do not come back at once. A value
// of one caller, not for several threads.
class Backoff {
 public:
  using Random = std::function<uint64_t()>;  // any 64 bits
  explicit Backoff(BackoffSettings settings = {}, Random random = {});

  // `at_least_ns`: what the remote asked for (Retry-After). It is added to, not cut.
  int64_t next_ns(int64_t at_least_ns = 0);
  void reset() { window_ns_ = 0; }

 private:
  BackoffSettings settings_;
  Random random_;
  int64_t window_ns_ = 0;
};

}  // namespace kache
