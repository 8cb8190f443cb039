// ServiceTest: a Service between a store in memory and a remote that can be held, and another machine that fills the remote.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/service.h"
#include "tests/support/eventually.h"
#include "tests/support/exchange_lab.h"
#include "tests/support/shared_clock.h"

namespace kache {

inline LabUnit unit(int number) { return {"unit" + std::to_string(number), "one", {{"lib", "code of " + std::to_string(number)}}}; }

class ServiceTest : public testing::Test {
 protected:
  ~ServiceTest() override {
    gate_.open();
    service_.reset();  // its threads end before what they use
  }

  void start(size_t threads = 4) {
    service_ = std::make_unique<Service>(here_.disk, clock_, here_.layout, log_, [this](const RemoteSettings&) { return open(); }, threads);
  }
  Result<std::shared_ptr<RemoteSetup>> open() {
    opened_++;
    if (is_broken_) return Error{ErrorCode::invalid, 0, "cache.remotes, number 1: no host"};
    auto setup = std::make_shared<RemoteSetup>();
    std::vector<Tier> one;
    one.push_back({std::make_unique<LentRemote>(remote_), true, true});
    setup->remote = std::make_unique<Tiers>(std::move(one), clock_);
    setup->description = "fake";
    setup->can_read = true;
    setup->can_write = can_write_;
    setup->timeout_ns = int64_t{300} * 1'000'000'000;
    return setup;
  }

  // Puts a result into the remote that another machine has made.
  void share(const LabUnit& unit) {
    std::shared_ptr<RemoteSetup> setup = open().value();
    opened_--;
    there_.compile(unit);
    ExchangeSettings settings;
    ASSERT_TRUE(Exchange(there_.disk, clock_, there_.layout, there_.boot, *setup->remote, settings).publish(unit.action(), {}).ok());
  }
  // What the wrapper leaves in the outbox.
  void leave(const LabUnit& unit, const RemoteSettings& settings) {
    (void)make_dirs(here_.disk, here_.layout.outbox(), 0700);
    (void)here_.disk.create(here_.layout.outgoing(unit.action()),
                            encode_outgoing({unit.action(), clock_.wall_ns(), without_secrets(settings), fingerprint(settings)}), 0600);
  }
  bool lies_in_outbox(const LabUnit& unit) { return here_.disk.stat(here_.layout.outgoing(unit.action())).ok(); }
  bool is_shared(const LabUnit& unit) const { return remote_.bytes_of(ObjectName::record(unit.action())).has_value(); }

  FetchRequest traces_of(const LabUnit& unit, const std::string& session = "") const {
    return {FetchRequest::traces, unit.invocation().digest, 3000, settings_, {session, "/work/app", "app"}};
  }
  // Of all who have asked so far.
  void fetch(const FetchRequest& request) {
    service_->fetch(request, [this](const FetchReply& reply) {
      std::lock_guard lock(mutex_);
      replies_.push_back(reply);
    });
  }
  std::vector<FetchReply> replies(size_t count) {
    EXPECT_TRUE(eventually([&] {
      std::lock_guard lock(mutex_);
      return replies_.size() >= count;
    }));
    std::lock_guard lock(mutex_);
    return replies_;
  }
  // A thread of the pool looks at the clock.
  void poke() {
    size_t before = replies(0).size();
    fetch({FetchRequest::record, digest_bytes("poke"), 3000, settings_, {}});
    (void)replies(before + 1);
  }
  uint64_t count(const char* name) const { return service_->status()[name].get<uint64_t>(); }
  uint64_t prefetch(const char* name) const { return service_->status()["prefetch"][name].get<uint64_t>(); }
  // Requests about one object wait at the gate.
  void hold(const ObjectName& name) {
    remote_.before = [this, text = name.text()](FakeRemote::Call, const std::string& asked) {
      if (asked == text) gate_.wait();
    };
  }
  size_t gets_of(const ObjectName& name) const {
    std::vector<FakeRemote::Request> requests = remote_.requests();
    return static_cast<size_t>(std::count_if(requests.begin(), requests.end(), [&](const FakeRemote::Request& one) {
      return one.call == FakeRemote::get_call && one.name == name.text();
    }));
  }

  SharedClock clock_;
  ManualClock disk_clock_;
  FakeRemote remote_;
  Machine here_{disk_clock_}, there_{disk_clock_};
  Log log_{here_.disk, clock_, "/cache/daemon.log"};
  RemoteSettings settings_{{{"cache.remotes", {"/mnt/cache"}}}, {"AWS_SECRET_ACCESS_KEY=secret"}};
  std::atomic<int> opened_{0};
  std::atomic<bool> is_broken_{false}, can_write_{true};
  Gate gate_;
  std::mutex mutex_;
  std::vector<FetchReply> replies_;
  std::unique_ptr<Service> service_;
};

}  // namespace kache
