// A remote in memory that fails as a test plans it, and counts what it is asked.
//
//   FakeRemote remote;
//   remote.fail_next(FakeRemote::get_call, {ErrorCode::timed_out, 0, "planned"}, 3);
//   remote.fail_always({ErrorCode::io, 0, "dead"});   // until heal()
//   remote.slow(clock, 200);                          // each call turns the clock by 200 ms; past the deadline it times out
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "remote/remote.h"
#include "tests/support/manual_clock.h"

namespace kache {

class FakeRemote : public Remote {
 public:
  enum Call : uint8_t { get_call, put_call, has_call, list_call, remove_call };
  struct Request {
    Call call;
    std::string name;  // of a list: its prefix
  };

  explicit FakeRemote(std::string name = "fake") : name_(std::move(name)) {}

  // --- the plan ---------------------------------------------------------------------------------------------------------

  void fail_next(Call call, Error error, int times = 1) {
    std::lock_guard lock(mutex_);
    for (int i = 0; i < times; ++i) plan_[call].push_back(error);
  }
  void fail_always(Error error) {
    std::lock_guard lock(mutex_);
    dead_ = std::move(error);
  }
  void heal() {
    std::lock_guard lock(mutex_);
    dead_.reset();
    plan_.clear();
    break_gets_after_.reset();
  }
  // Gets bring so many bytes and fail then.
  void break_gets_after(size_t bytes, Error error) {
    std::lock_guard lock(mutex_);
    break_gets_after_ = {bytes, std::move(error)};
  }
  // For one thread: a ManualClock is turned by one hand.
  void slow(ManualClock& clock, int64_t latency_ms) {
    clock_ = &clock;
    latency_ms_ = latency_ms;
  }
  // Called at the start of each call, without a lock: to wait there, or to change something behind the back of the caller.
  std::function<void(Call, const std::string& name)> before;
  uint64_t largest = 0;
  ManualClock* dates = nullptr;  // when objects were written; nullptr: it does not tell

  // --- what is in it ----------------------------------------------------------------------------------------------------

  void set(const ObjectName& name, std::string bytes) {
    std::lock_guard lock(mutex_);
    objects_[name.text()] = {std::move(bytes), ++writes_, dates ? dates->wall_ns() : 0};
  }
  void erase(const ObjectName& name) {
    std::lock_guard lock(mutex_);
    objects_.erase(name.text());
  }
  std::optional<std::string> bytes_of(const ObjectName& name) const {
    std::lock_guard lock(mutex_);
    auto found = objects_.find(name.text());
    if (found == objects_.end()) return std::nullopt;
    return found->second.bytes;
  }
  size_t size() const {
    std::lock_guard lock(mutex_);
    return objects_.size();
  }
  size_t asked(Call call) const {
    std::lock_guard lock(mutex_);
    return static_cast<size_t>(std::count_if(requests_.begin(), requests_.end(), [&](const Request& one) { return one.call == call; }));
  }
  size_t asked() const { return requests().size(); }
  std::vector<Request> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }

  // --- Remote -----------------------------------------------------------------------------------------------------------

  std::string description() const override { return name_; }
  uint64_t largest_object() const override { return largest; }

  Result<std::string> get(const ObjectName& name, Sink& sink, const Limits& limits) override {
    KACHE_TRY(begin(get_call, name.text(), limits));
    Object object;
    std::optional<std::pair<size_t, Error>> breaks;
    {
      std::lock_guard lock(mutex_);
      auto found = objects_.find(name.text());
      if (found == objects_.end()) return missing(name);
      object = found->second;
      breaks = break_gets_after_;
    }
    if (object.bytes.size() > limits.max_bytes) return Error{ErrorCode::too_large, 0, name_ + ": too large"};
    size_t end = breaks ? std::min(breaks->first, object.bytes.size()) : object.bytes.size();
    for (size_t at = 0; at < end; at += kPiece) KACHE_TRY(sink.write(std::string_view(object.bytes).substr(at, std::min(kPiece, end - at))));
    if (breaks) return breaks->second;
    return std::to_string(object.version);
  }

  Status put(const ObjectName& name, Source& source, const PutCondition& condition, const Limits& limits) override {
    KACHE_TRY(begin(put_call, name.text(), limits));
    if (largest != 0 && source.size() > largest) return Error{ErrorCode::too_large, 0, name_ + ": too large"};
    KACHE_TRY(source.rewind());
    std::string bytes, buffer(kPiece, '\0');
    while (size_t size = KACHE_TRY(source.read(buffer.data(), buffer.size()))) bytes.append(buffer, 0, size);
    std::lock_guard lock(mutex_);
    auto found = objects_.find(name.text());
    bool there = found != objects_.end();
    bool holds = condition.kind == PutCondition::always || (condition.kind == PutCondition::if_absent && !there) ||
                 (condition.kind == PutCondition::if_version && there && std::to_string(found->second.version) == condition.version);
    if (!holds) return Error{ErrorCode::exists, 0, name_ + ": condition"};
    objects_[name.text()] = {std::move(bytes), ++writes_, dates ? dates->wall_ns() : 0};
    return Ok{};
  }

  Result<bool> has(const ObjectName& name, const Limits& limits) override {
    KACHE_TRY(begin(has_call, name.text(), limits));
    return bytes_of(name).has_value();
  }

  Status list(ObjectKind kind, const std::string& prefix, const Visit& visit, const Limits& limits) override {
    KACHE_TRY(begin(list_call, prefix, limits));
    std::vector<ListedObject> listed;
    {
      std::lock_guard lock(mutex_);
      for (const auto& [text, object] : objects_) {
        if (!text.starts_with(kind_prefix(kind)) || !text.starts_with(prefix)) continue;
        listed.push_back({ObjectName::parse(text).value(), object.bytes.size(), object.modified_ns});
      }
    }
    for (const ListedObject& one : listed) KACHE_TRY(visit(one));
    return Ok{};
  }

  Status remove(const ObjectName& name, const Limits& limits) override {
    KACHE_TRY(begin(remove_call, name.text(), limits));
    erase(name);
    return Ok{};
  }

 private:
  static constexpr size_t kPiece = 64 << 10;
  struct Object {
    std::string bytes;
    uint64_t version = 0;
    int64_t modified_ns = 0;
  };

  Error missing(const ObjectName& name) const { return {ErrorCode::not_found, 0, name_ + ": no " + name.text()}; }

  Status begin(Call call, const std::string& name, const Limits& limits) {
    if (before) before(call, name);
    std::lock_guard lock(mutex_);
    requests_.push_back({call, name});
    if (clock_) {
      int64_t left_ms = (limits.deadline_ns - clock_->monotonic_ns()) / 1'000'000;
      clock_->advance_ms(std::clamp<int64_t>(left_ms, 0, latency_ms_));
      if (left_ms < latency_ms_) return Error{ErrorCode::timed_out, 0, name_ + ": too slow"};
    }
    if (dead_) return *dead_;
    std::deque<Error>& planned = plan_[call];
    if (planned.empty()) return Ok{};
    Error error = planned.front();
    planned.pop_front();
    return error;
  }

  const std::string name_;
  ManualClock* clock_ = nullptr;
  int64_t latency_ms_ = 0;
  mutable std::mutex mutex_;  // all below
  std::map<std::string, Object> objects_;
  uint64_t writes_ = 0;
  std::vector<Request> requests_;
  std::map<Call, std::deque<Error>> plan_;
  std::optional<Error> dead_;
  std::optional<std::pair<size_t, Error>> break_gets_after_;
};

// The same remote for several users, each of whom believes to own it.
class LentRemote : public Remote {
 public:
  explicit LentRemote(Remote& remote) : remote_(remote) {}
  std::string description() const override { return remote_.description(); }
  uint64_t largest_object() const override { return remote_.largest_object(); }
  Result<std::string> get(const ObjectName& name, Sink& sink, const Limits& limits) override { return remote_.get(name, sink, limits); }
  Status put(const ObjectName& name, Source& source, const PutCondition& condition, const Limits& limits) override {
    return remote_.put(name, source, condition, limits);
  }
  Result<bool> has(const ObjectName& name, const Limits& limits) override { return remote_.has(name, limits); }
  Status list(ObjectKind kind, const std::string& prefix, const Visit& visit, const Limits& limits) override {
    return remote_.list(kind, prefix, visit, limits);
  }
  Status remove(const ObjectName& name, const Limits& limits) override { return remote_.remove(name, limits); }

 private:
  Remote& remote_;
};

}  // namespace kache
