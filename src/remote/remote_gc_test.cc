#include "remote/remote_gc.h"

#include <gtest/gtest.h>

#include "remote/session.h"
#include "tests/support/exchange_lab.h"

namespace kache {
namespace {

constexpr int64_t kDay = int64_t{24} * 3600 * 1'000'000'000;
constexpr RemoteGcLimits kLimits{30 * kDay, kDay, false};

LabUnit unit(const std::string& name) { return {name, "one", {{"lib" + name, noise(600 << 10, static_cast<unsigned>(name.size()))}, {"meta", "of " + name}}}; }
const ObjectName kLease = ObjectName::control("gc-lease");

class RemoteGcTest : public testing::Test {
 protected:
  RemoteGcTest() {
    remote_.dates = &clock_;
    std::vector<Tier> one;
    one.push_back({std::make_unique<LentRemote>(remote_), true, true});
    tiers_ = std::make_unique<Tiers>(std::move(one), clock_);
  }
  void publish(const LabUnit& unit) {
    machine_.compile(unit);
    ASSERT_TRUE(Exchange(machine_.disk, clock_, machine_.layout, machine_.boot, *tiers_, settings_).publish(unit.action(), {}).ok());
  }
  void pass(int64_t days) { clock_.now_ns += days * kDay; }
  bool is_fetched(const LabUnit& unit) {
    Machine other(clock_);
    std::vector<Tier> one;
    one.push_back({std::make_unique<LentRemote>(remote_), true, true});
    Tiers tiers(std::move(one), clock_);
    return Exchange(other.disk, clock_, other.layout, other.boot, tiers, settings_).fetch_unit(unit.invocation(), unit.action(), {}).ok();
  }
  RemoteGcReport collect(const RemoteGcLimits& limits = kLimits) { return collect_remote(remote_, clock_, limits).value(); }

  ManualClock clock_;
  FakeRemote remote_;
  ExchangeSettings settings_;
  Machine machine_{clock_};
  std::unique_ptr<Tiers> tiers_;
};

TEST_F(RemoteGcTest, what_is_old_goes_with_all_that_only_it_led_to) {
  publish(unit("old"));
  pass(40);
  publish(unit("fresh"));
  RemoteGcReport report = collect();
  EXPECT_EQ(report.records, 1u);
  EXPECT_EQ(report.traces, 1u);
  EXPECT_EQ(report.blobs, 1u);
  EXPECT_EQ(report.kept_records, 1u);
  EXPECT_GT(report.bytes, 600u << 10);
  EXPECT_EQ(remote_.size(), 3u);  // of the fresh one
  EXPECT_TRUE(is_fetched(unit("fresh")));
  EXPECT_FALSE(is_fetched(unit("old")));
}

TEST_F(RemoteGcTest, a_dry_run_tells_the_same_and_changes_nothing) {
  publish(unit("old"));
  pass(40);
  RemoteGcLimits dry = kLimits;
  dry.dry_run = true;
  RemoteGcReport report = collect(dry);
  EXPECT_EQ(report.records + report.traces + report.blobs, 3u);
  EXPECT_EQ(remote_.asked(FakeRemote::remove_call), 0u);
  EXPECT_EQ(remote_.size(), 3u);
}

TEST_F(RemoteGcTest, what_a_build_has_asked_for_lately_stays) {
  publish(unit("old"));
  pass(40);
  SessionUnit asked;
  asked.invocation = unit("old").invocation();
  asked.action = unit("old").action();
  ASSERT_TRUE(save_session(*tiers_, {"app", "main", clock_.wall_ns(), {asked}}, 1, {}).ok());
  EXPECT_EQ(collect().kept_records, 1u);
  EXPECT_TRUE(is_fetched(unit("old")));
  pass(40);
  RemoteGcReport report = collect();
  EXPECT_EQ(report.sessions, 1u);
  EXPECT_EQ(report.records, 1u);
}

TEST_F(RemoteGcTest, packs_stay_as_long_as_a_build_names_them) {
  ObjectName named = ObjectName::pack(digest_bytes("named")), forgotten = ObjectName::pack(digest_bytes("forgotten"));
  remote_.set(named, "pack");
  remote_.set(forgotten, "pack");
  pass(40);
  ObjectName young = ObjectName::pack(digest_bytes("young"));
  remote_.set(young, "pack");
  RecordedSession session{"app", "main", clock_.wall_ns(), {}, {{named.digest(), {}, 4, 4, 4}}};
  ASSERT_TRUE(save_session(*tiers_, session, 1, {}).ok());
  EXPECT_EQ(collect().packs, 1u);
  EXPECT_TRUE(remote_.bytes_of(named) && remote_.bytes_of(young) && !remote_.bytes_of(forgotten));
  pass(40);
  EXPECT_EQ(collect().packs, 2u);
}

TEST_F(RemoteGcTest, content_of_two_results_stays_as_long_as_one_of_them) {
  LabUnit old{"a", "one", {{"lib", noise(600 << 10)}}}, fresh{"b", "one", {{"lib", noise(600 << 10)}}};
  publish(old);
  pass(40);
  publish(fresh);
  EXPECT_EQ(collect().blobs, 0u);
  EXPECT_TRUE(is_fetched(fresh));
}

TEST_F(RemoteGcTest, what_is_younger_than_the_grace_is_never_touched) {
  publish(unit("one"));
  clock_.now_ns += kDay / 2;
  RemoteGcReport report = collect({0, kDay, false});
  EXPECT_EQ(report.records + report.traces + report.blobs, 0u);
  // Nor is content whose record is still to come.
  remote_.erase(ObjectName::record(unit("one").action()));
  EXPECT_EQ(collect({0, kDay, false}).blobs, 0u);
}

TEST_F(RemoteGcTest, garbage_goes_when_it_is_old_enough) {
  publish(unit("one"));
  remote_.set(ObjectName::record({digest_bytes("x")}), "garbage");
  remote_.set(ObjectName::traces({digest_bytes("x")}), "garbage");
  pass(2);
  RemoteGcReport report = collect();
  EXPECT_EQ(report.records, 1u);
  EXPECT_EQ(report.traces, 1u);
  EXPECT_TRUE(is_fetched(unit("one")));
}

// Somebody who may write must not be able to stop collections for good.
TEST_F(RemoteGcTest, an_object_that_is_too_large_to_be_read_is_garbage) {
  publish(unit("one"));
  pass(40);
  remote_.fail_next(FakeRemote::get_call, {ErrorCode::too_large, 0, "planned"});
  remote_.set(ObjectName::traces({digest_bytes("huge")}), "huge");
  pass(2);
  EXPECT_TRUE(collect_remote(remote_, clock_, kLimits).ok());
}

TEST_F(RemoteGcTest, what_can_not_be_read_just_now_keeps_everything) {
  publish(unit("old"));
  pass(40);
  SessionUnit asked;
  asked.action = unit("old").action();
  ASSERT_TRUE(save_session(*tiers_, {"app", "main", clock_.wall_ns(), {asked}}, 1, {}).ok());
  for (ErrorCode code : {ErrorCode::io, ErrorCode::timed_out}) {
    remote_.fail_next(FakeRemote::get_call, {code, 0, "planned"});
    EXPECT_EQ(collect_remote(remote_, clock_, kLimits).code(), code);
    EXPECT_TRUE(is_fetched(unit("old")));
  }
}

TEST_F(RemoteGcTest, every_request_may_fail_and_what_is_in_use_stays) {
  for (size_t at = 0;; ++at) {
    ASSERT_LT(at, 100u);
    LabUnit fresh = unit("fresh" + std::string(at, '+'));
    publish(unit("old" + std::string(at, '+')));
    pass(40);
    publish(fresh);
    size_t asked = 0;
    bool fired = false;
    remote_.before = [&](FakeRemote::Call call, const std::string&) {
      if (asked++ != at) return;
      fired = true;
      remote_.fail_next(call, {ErrorCode::io, 0, "planned"});
    };
    (void)collect_remote(remote_, clock_, kLimits).ok();
    remote_.before = nullptr;
    remote_.heal();
    EXPECT_TRUE(is_fetched(fresh)) << at;
    pass(1);  // a lease that stayed behind has ended
    EXPECT_TRUE(collect_remote(remote_, clock_, kLimits).ok()) << at;
    EXPECT_TRUE(is_fetched(fresh)) << at;
    if (!fired) break;
  }
}

TEST_F(RemoteGcTest, one_runs_at_a_time) {
  publish(unit("one"));
  remote_.set(kLease, "of another one");
  EXPECT_EQ(collect_remote(remote_, clock_, kLimits).code(), ErrorCode::busy);
  EXPECT_TRUE(remote_.bytes_of(kLease).has_value());
  clock_.now_ns += kLeaseNs + 1;  // it died
  EXPECT_TRUE(collect_remote(remote_, clock_, kLimits).ok());
  EXPECT_FALSE(remote_.bytes_of(kLease).has_value());
}

TEST_F(RemoteGcTest, the_lease_goes_by_the_clock_of_the_remote) {
  publish(unit("one"));
  remote_.set(kLease, "of another one");
  ManualClock ours;
  for (int64_t days : {-400, 400}) {
    ours.now_ns = clock_.now_ns + days * kDay;
    EXPECT_EQ(collect_remote(remote_, ours, kLimits).code(), ErrorCode::busy) << days;
    EXPECT_EQ(remote_.bytes_of(kLease), "of another one");
  }
  for (int64_t days : {-400, 400}) {
    remote_.set(kLease, "of one that died");
    clock_.now_ns += kLeaseNs + 1;
    ours.now_ns = clock_.now_ns + days * kDay;
    EXPECT_TRUE(collect_remote(remote_, ours, kLimits).ok()) << days;
  }
  std::vector<std::string> left;
  (void)remote_.list(ObjectKind::control, kind_prefix(ObjectKind::control), [&](const ListedObject& one) -> Status {
    left.push_back(one.name.text());
    return Ok{};
  }, {});
  EXPECT_EQ(left, std::vector<std::string>{});
}

TEST_F(RemoteGcTest, a_remote_without_dates_is_left_as_it_is) {
  remote_.dates = nullptr;
  publish(unit("one"));
  Result<RemoteGcReport> report = collect_remote(remote_, clock_, kLimits);
  EXPECT_EQ(report.code(), ErrorCode::unsupported);
  EXPECT_FALSE(remote_.bytes_of(kLease).has_value());
  EXPECT_TRUE(is_fetched(unit("one")));
}

// Somebody has compiled it, though the remote has it: it is in use.
TEST_F(RemoteGcTest, what_is_published_again_begins_to_age_anew) {
  publish(unit("used"));
  publish(unit("unused"));
  pass(20);
  size_t puts = remote_.asked(FakeRemote::put_call);
  std::string before = remote_.bytes_of(ObjectName::record(unit("used").action())).value();
  publish(unit("used"));
  EXPECT_EQ(remote_.asked(FakeRemote::put_call), puts + 2);  // one that found it there, one that renewed it
  EXPECT_EQ(remote_.bytes_of(ObjectName::record(unit("used").action())).value(), before);
  publish(unit("used"));
  EXPECT_EQ(remote_.asked(FakeRemote::put_call), puts + 3);  // it is young by now
  pass(20);
  EXPECT_EQ(collect().records, 1u);
  EXPECT_TRUE(is_fetched(unit("used")));
  EXPECT_FALSE(is_fetched(unit("unused")));
}

// The signature of somebody whom others believe is not lost by that.
TEST_F(RemoteGcTest, what_is_renewed_keeps_its_signature) {
  SigningKey key = SigningKey::generate();
  settings_.signer = &key;
  publish(unit("signed"));
  std::string before = remote_.bytes_of(ObjectName::record(unit("signed").action())).value();
  settings_.signer = nullptr;
  pass(20);
  publish(unit("signed"));
  pass(20);
  EXPECT_EQ(collect().records, 0u);
  EXPECT_EQ(remote_.bytes_of(ObjectName::record(unit("signed").action())).value(), before);
}

TEST_F(RemoteGcTest, what_nobody_can_read_is_not_kept_young) {
  publish(unit("broken"));
  remote_.set(ObjectName::record(unit("broken").action()), "garbage");
  pass(20);
  publish(unit("broken"));
  pass(20);
  EXPECT_EQ(collect().records, 1u);
}

}  // namespace
}  // namespace kache
