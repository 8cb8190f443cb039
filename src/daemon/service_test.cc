#include "daemon/service.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "remote/envelope.h"
#include "remote/session_packs.h"
#include "tests/support/eventually.h"
#include "tests/support/exchange_lab.h"
#include "tests/support/shared_clock.h"

namespace kache {
namespace {

LabUnit unit(int number) { return {"unit" + std::to_string(number), "one", {{"lib", "code of " + std::to_string(number)}}}; }
const Error kIo{ErrorCode::io, 0, "planned"};

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

// --- fetch -------------------------------------------------------------------------------------------------------------

TEST_F(ServiceTest, a_result_comes_into_the_store) {
  share(unit(1));
  start();
  fetch(traces_of(unit(1)));
  EXPECT_EQ(replies(1)[0].kind, FetchReply::found);
  EXPECT_TRUE(here_.has(unit(1)));
  fetch(traces_of(unit(2)));
  EXPECT_EQ(replies(2)[1].kind, FetchReply::absent);
}

TEST_F(ServiceTest, all_who_ask_for_the_same_get_one_answer) {
  share(unit(1));
  start();
  ObjectName traces = ObjectName::traces(unit(1).invocation());
  size_t before = gets_of(traces);
  hold(traces);
  for (int i = 0; i < 20; ++i) fetch(traces_of(unit(1)));
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));
  gate_.open();
  std::vector<FetchReply> all = replies(20);
  for (const FetchReply& reply : all) EXPECT_EQ(reply.kind, FetchReply::found);
  EXPECT_EQ(all.size(), 20u);
  EXPECT_EQ(gets_of(traces), before + 1);
  EXPECT_EQ(count("remote_checks_joined"), 19u);
}

TEST_F(ServiceTest, others_settings_are_another_flight) {
  share(unit(1));
  start();
  ObjectName traces = ObjectName::traces(unit(1).invocation());
  hold(traces);
  fetch(traces_of(unit(1)));
  FetchRequest other = traces_of(unit(1));
  other.settings.env = {"AWS_SECRET_ACCESS_KEY=of somebody else"};
  fetch(other);
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 2; }));
  gate_.open();
  EXPECT_EQ(replies(2).size(), 2u);
  EXPECT_EQ(opened_, 2);
}

TEST_F(ServiceTest, a_failing_remote_is_said_and_then_left_alone) {
  start();
  remote_.fail_always(kIo);
  for (size_t i = 0; i < 20; ++i) {
    fetch(traces_of(unit(static_cast<int>(i))));
    FetchReply reply = replies(i + 1)[i];
    EXPECT_TRUE(reply.kind == FetchReply::failed || reply.kind == FetchReply::suppressed);
    if (i == 0) { EXPECT_EQ(reply.kind, FetchReply::failed); }
    if (i == 19) { EXPECT_EQ(reply.kind, FetchReply::suppressed); }
  }
  EXPECT_LT(remote_.asked(), 10u);
  EXPECT_TRUE(service_->status()["remote_degraded"].get<bool>());
}

TEST_F(ServiceTest, settings_that_can_not_work_are_looked_at_again_after_a_while) {
  start();
  is_broken_ = true;
  fetch(traces_of(unit(1)));
  EXPECT_EQ(replies(1)[0].reason, "cache.remotes, number 1: no host");
  fetch(traces_of(unit(2)));
  EXPECT_EQ(replies(2)[1].kind, FetchReply::failed);
  EXPECT_EQ(opened_, 1);
  is_broken_ = false;
  clock_.advance_ms(31'000);
  fetch(traces_of(unit(3)));
  EXPECT_EQ(replies(3)[2].kind, FetchReply::absent);
  EXPECT_EQ(opened_, 2);
}

// --- ahead of the build ------------------------------------------------------------------------------------------------

class AheadTest : public ServiceTest {
 protected:
  void save(int first, int last) {
    std::shared_ptr<RemoteSetup> setup = open().value();
    opened_--;
    RecordedSession session{"app", "", clock_.wall_ns(), {}};
    for (int i = first; i <= last; ++i) {
      share(unit(i));
      SessionUnit one;
      one.invocation = unit(i).invocation();
      one.action = unit(i).action();
      one.size = 100;
      session.units.push_back(one);
    }
    ASSERT_TRUE(save_session(*setup->remote, session, 1, {}).ok());
  }
};

TEST_F(AheadTest, what_an_earlier_build_asked_for_is_there_before_it_is_asked_for) {
  save(1, 10);
  start();
  fetch(traces_of(unit(99), "session"));
  ASSERT_TRUE(eventually([&] { return prefetch("downloads_completed") == 10; }));
  for (int i = 1; i <= 10; ++i) EXPECT_EQ(here_.entry(unit(i).action()).value().origin, EntryOrigin::ahead);
  EXPECT_EQ(prefetch("plans"), 1u);
  EXPECT_EQ(here_.problem(), "");
}

TEST_F(AheadTest, a_build_that_has_only_announced_itself_is_fetched_for) {
  save(1, 10);
  start();
  service_->announce({settings_, {"session", "/app", ""}});
  ASSERT_TRUE(eventually([&] { return prefetch("downloads_completed") == 10; }));
  fetch(traces_of(unit(99), "session"));
  EXPECT_EQ(replies(1)[0].kind, FetchReply::absent);
  EXPECT_EQ(prefetch("plans"), 1u);
}

TEST_F(AheadTest, who_asks_for_what_is_on_its_way_gets_it) {
  save(1, 1);
  start();
  ObjectName traces = ObjectName::traces(unit(1).invocation());
  size_t before = gets_of(traces);
  hold(traces);
  fetch(traces_of(unit(99), "session"));
  (void)replies(1);
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));
  fetch(traces_of(unit(1), "session"));
  EXPECT_EQ(count("remote_checks_joined"), 1u);
  gate_.open();
  EXPECT_EQ(replies(2)[1].kind, FetchReply::found);
  EXPECT_EQ(gets_of(traces), before + 1);
}

TEST_F(AheadTest, a_plan_that_nobody_needs_is_given_up) {
  save(1, 30);
  start(2);
  hold(ObjectName::traces(unit(1).invocation()));
  fetch(traces_of(unit(100), "session"));
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));
  for (int i = 101; i < 112; ++i) fetch(traces_of(unit(i), "session"));
  EXPECT_EQ(replies(12).size(), 12u);  // demands go on beside it
  gate_.open();
  EXPECT_TRUE(eventually([&] { return prefetch("keys_cancelled") == 29; }));
}

TEST_F(AheadTest, a_plan_that_is_followed_goes_on) {
  save(1, 30);
  start(2);
  hold(ObjectName::traces(unit(1).invocation()));
  fetch(traces_of(unit(100), "session"));
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));
  for (int i = 2; i < 16; ++i) fetch(traces_of(unit(i), "session"));
  for (int i = 101; i < 112; ++i) fetch(traces_of(unit(i), "session"));
  EXPECT_EQ(replies(26).size(), 26u);
  gate_.open();
  EXPECT_TRUE(eventually([&] { return here_.has(unit(30)); }));
  EXPECT_EQ(prefetch("keys_cancelled"), 0u);
}

TEST_F(AheadTest, nothing_is_fetched_ahead_where_that_is_off) {
  save(1, 3);
  start();
  settings_.options.push_back({"cache.prefetch_enabled", {"false"}});
  service_->announce({settings_, {"session", "/app", ""}});
  fetch(traces_of(unit(99), "session"));
  (void)replies(1);
  poke();
  EXPECT_EQ(prefetch("plans"), 0u);
  EXPECT_FALSE(here_.has(unit(1)));
}

// --- what a build asked for ---------------------------------------------------------------------------------------------

class BuildTest : public ServiceTest {
 protected:
  // What the wrapper writes when a unit has ended.
  void log_event(const LabUnit& unit, const std::string& session, const char* result) {
    nlohmann::ordered_json line = {{"ts", format_time(clock_.wall_ns())}, {"crate_name", unit.name}, {"result", result}, {"elapsed_ms", 7}, {"size", 100},
                                   {"cache_key", unit.action().hex()}, {"invocation_key", unit.invocation().digest.hex()}, {"session_id", session}};
    ASSERT_TRUE(here_.disk.append(here_.layout.events(), line.dump() + "\n").ok());
  }
  // It asks, and has to compile.
  void compile(int number, const std::string& session) {
    size_t before = replies(0).size();
    fetch(traces_of(unit(number), session));
    (void)replies(before + 1);
    log_event(unit(number), session, "miss");
  }
  bool is_done() {
    return eventually([&] { return !service_->is_busy(); });
  }
  std::vector<RecordedSession> saved(const std::string& space) {
    std::vector<RecordedSession> sessions;
    (void)remote_.list(ObjectKind::session, kind_prefix(ObjectKind::session) + space + "/", [&](const ListedObject& one) -> Status {
      Result<Opened> opened = open_envelope(one.name, *remote_.bytes_of(one.name), {}, 1 << 20);
      sessions.push_back(decode_session(opened.value().payload).value());
      return Ok{};
    }, {});
    return sessions;
  }
};

TEST_F(BuildTest, is_noted_in_the_remote_a_minute_after_it_last_asked) {
  start();
  compile(1, "session");
  clock_.advance_ms(50'000);
  compile(2, "session");
  clock_.advance_ms(59'000);
  service_->tick();
  ASSERT_TRUE(is_done());
  EXPECT_EQ(saved("app").size(), 0u);
  clock_.advance_ms(1'500);
  service_->tick();
  ASSERT_TRUE(eventually([&] { return prefetch("sessions_saved") == 1; }));
  std::vector<RecordedSession> sessions = saved("app");
  ASSERT_EQ(sessions.size(), 1u);
  EXPECT_EQ(sessions[0].created_ns, clock_.wall_ns());
  ASSERT_EQ(sessions[0].units.size(), 2u);
  EXPECT_EQ(sessions[0].units[0].action, unit(1).action());
  EXPECT_EQ(sessions[0].units[1].invocation, unit(2).invocation());
  EXPECT_EQ(sessions[0].units[1].offset_ms, 50'000u);
  // It is over: nothing more comes of it.
  clock_.advance_ms(100'000);
  service_->tick();
  service_->finish_builds();
  ASSERT_TRUE(is_done());
  EXPECT_EQ(saved("app").size(), 1u);
}

TEST_F(BuildTest, is_noted_at_once_when_the_daemon_ends) {
  start();
  compile(1, "one");
  compile(2, "two");
  service_->finish_builds();
  ASSERT_TRUE(eventually([&] { return prefetch("sessions_saved") == 2; }));
  std::vector<RecordedSession> sessions = saved("app");
  ASSERT_EQ(sessions.size(), 2u);
  std::set<ActionKey> noted;
  for (const RecordedSession& session : sessions) {
    ASSERT_EQ(session.units.size(), 1u) << "each has its own";
    noted.insert(session.units[0].action);
  }
  EXPECT_EQ(noted, (std::set<ActionKey>{unit(1).action(), unit(2).action()}));
}

TEST_F(BuildTest, is_no_news_when_it_compiled_nothing) {
  start();
  fetch(traces_of(unit(1), "session"));
  (void)replies(1);
  log_event(unit(1), "session", "remote_hit");
  log_event(unit(2), "of another build", "miss");
  service_->finish_builds();
  ASSERT_TRUE(is_done());
  EXPECT_EQ(prefetch("sessions_saved"), 0u);
  EXPECT_EQ(remote_.asked(FakeRemote::put_call), 0u);
}

TEST_F(BuildTest, is_not_noted_where_nothing_is_written) {
  can_write_ = false;
  start();
  compile(1, "session");
  service_->finish_builds();
  ASSERT_TRUE(is_done());
  EXPECT_EQ(remote_.asked(FakeRemote::put_call), 0u);
}

TEST_F(BuildTest, has_a_name_and_a_branch_from_its_repository) {
  for (const char* dir : {"/work", "/work/app", "/work/app/.git"}) (void)here_.disk.make_dir(dir, 0755);
  (void)here_.disk.create("/work/app/.git/HEAD", "ref: refs/heads/feature\n", 0644);
  (void)here_.disk.create("/work/app/.git/config", "[remote \"origin\"]\n\turl = https://me@host/group/project.git\n", 0644);
  start();
  FetchRequest request = traces_of(unit(1), "session");
  request.build.space.clear();
  fetch(request);
  (void)replies(1);
  log_event(unit(1), "session", "miss");
  service_->finish_builds();
  ASSERT_TRUE(eventually([&] { return prefetch("sessions_saved") == 1; }));
  std::vector<ObjectName> names;
  (void)remote_.list(ObjectKind::session, kind_prefix(ObjectKind::session), [&](const ListedObject& one) -> Status {
    names.push_back(one.name);
    return Ok{};
  }, {});
  ASSERT_EQ(names.size(), 1u);
  EXPECT_NE(names[0].text().find("project"), std::string::npos);
  Result<Opened> opened = open_envelope(names[0], *remote_.bytes_of(names[0]), {}, 1 << 20);
  EXPECT_EQ(decode_session(opened.value().payload).value().branch, "feature");
}

TEST_F(BuildTest, that_can_not_be_noted_is_said_and_hurts_nobody) {
  start();
  compile(1, "session");
  remote_.fail_next(FakeRemote::put_call, kIo);
  service_->finish_builds();
  ASSERT_TRUE(is_done());
  EXPECT_EQ(prefetch("sessions_saved"), 0u);
  EXPECT_NE(read_file(here_.disk, "/cache/daemon.log", 1 << 20).value_or("").find("session of app: "), std::string::npos);
  compile(2, "session");  // the build goes on, with another daemon perhaps
  service_->finish_builds();
  ASSERT_TRUE(eventually([&] { return prefetch("sessions_saved") == 1; }));
  ASSERT_EQ(saved("app").size(), 1u);
  EXPECT_EQ(saved("app")[0].units.size(), 2u) << "with what was asked for before";
}

TEST_F(BuildTest, that_ends_fetches_nothing_more_ahead) {
  std::shared_ptr<RemoteSetup> setup = open().value();
  RecordedSession session{"app", "", clock_.wall_ns(), {}};
  for (int i = 1; i <= 20; ++i) {
    share(unit(i));
    SessionUnit one;
    one.invocation = unit(i).invocation();
    one.action = unit(i).action();
    one.size = 100;
    session.units.push_back(one);
  }
  ASSERT_TRUE(save_session(*setup->remote, session, 1, {}).ok());
  start(2);
  hold(ObjectName::traces(unit(1).invocation()));
  fetch(traces_of(unit(99), "session"));
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));
  service_->finish_builds();
  gate_.open();
  EXPECT_TRUE(eventually([&] { return prefetch("keys_cancelled") == 19; }));
  EXPECT_FALSE(here_.has(unit(20)));
}

// --- publish -----------------------------------------------------------------------------------------------------------

class UploadTest : public ServiceTest {
 protected:
  UploadTest() { here_.compile(unit(1)); }
  bool is_settled() { return eventually([&] { return service_->pending_uploads() == 0; }); }
};

TEST_F(UploadTest, a_result_is_sent_and_leaves_the_outbox) {
  leave(unit(1), settings_);
  start();
  service_->publish({unit(1).action(), settings_});
  ASSERT_TRUE(is_settled());
  EXPECT_TRUE(is_shared(unit(1)));
  EXPECT_FALSE(lies_in_outbox(unit(1)));
  EXPECT_EQ(count("uploads_completed"), 1u);
}

TEST_F(UploadTest, what_fails_for_now_is_tried_again_after_its_wait) {
  leave(unit(1), settings_);
  remote_.fail_next(FakeRemote::put_call, kIo, 2);
  start();
  service_->publish({unit(1).action(), settings_});
  ASSERT_TRUE(eventually([&] { return remote_.asked(FakeRemote::put_call) == 1 && !service_->is_busy(); }));
  clock_.advance_ms(2'400);  // half of five seconds at least
  poke();
  EXPECT_EQ(remote_.asked(FakeRemote::put_call), 1u);
  EXPECT_EQ(service_->pending_uploads(), 1u);
  EXPECT_TRUE(lies_in_outbox(unit(1)));
  clock_.advance_ms(2'700);
  poke();
  ASSERT_TRUE(eventually([&] { return remote_.asked(FakeRemote::put_call) == 2 && !service_->is_busy(); }));
  clock_.advance_ms(4'900);  // half of ten
  poke();
  EXPECT_EQ(remote_.asked(FakeRemote::put_call), 2u);
  clock_.advance_ms(5'200);
  poke();
  ASSERT_TRUE(is_settled());
  EXPECT_TRUE(is_shared(unit(1)));
  EXPECT_FALSE(lies_in_outbox(unit(1)));
}

TEST_F(UploadTest, what_can_not_work_is_put_aside_with_its_reason) {
  for (ErrorCode code : {ErrorCode::too_large, ErrorCode::unsupported, ErrorCode::invalid}) {
    leave(unit(1), settings_);
    remote_.fail_next(FakeRemote::put_call, {code, 0, "planned"});
    start();
    service_->publish({unit(1).action(), settings_});
    ASSERT_TRUE(is_settled());
    EXPECT_FALSE(lies_in_outbox(unit(1)));
    std::string path = here_.layout.failed_outbox() + "/" + unit(1).action().hex();
    std::string bytes = read_file(here_.disk, path, 1 << 20).value_or("");
    EXPECT_EQ(decode_outgoing(bytes).value().failure, "planned");
    EXPECT_EQ(bytes.find("secret"), std::string::npos);
    EXPECT_EQ(count("uploads_failed"), 1u);
    (void)here_.disk.unlink(path);
  }
}

TEST_F(UploadTest, a_damaged_result_is_not_sent_and_not_tried_again) {
  leave(unit(1), settings_);
  here_.disk.overwrite(here_.layout.blob({digest_bytes("code of 1")}), "code of X");
  start();
  service_->publish({unit(1).action(), settings_});
  ASSERT_TRUE(is_settled());
  EXPECT_EQ(remote_.size(), 0u);
  EXPECT_EQ(count("uploads_failed"), 1u);
}

TEST_F(UploadTest, a_result_that_is_gone_is_forgotten) {
  leave(unit(2), settings_);
  start();
  service_->publish({unit(2).action(), settings_});
  ASSERT_TRUE(is_settled());
  EXPECT_FALSE(lies_in_outbox(unit(2)));
  EXPECT_EQ(count("uploads_failed"), 0u);
}

TEST_F(UploadTest, to_a_remote_that_is_only_read_nothing_is_sent) {
  can_write_ = false;
  leave(unit(1), settings_);
  start();
  service_->publish({unit(1).action(), settings_});
  ASSERT_TRUE(is_settled());
  EXPECT_EQ(remote_.asked(FakeRemote::put_call), 0u);
  EXPECT_FALSE(lies_in_outbox(unit(1)));
}

TEST_F(UploadTest, after_a_day_it_is_given_up) {
  leave(unit(1), settings_);
  remote_.fail_next(FakeRemote::put_call, kIo, 2);
  start();
  service_->publish({unit(1).action(), settings_});
  ASSERT_TRUE(eventually([&] { return remote_.asked(FakeRemote::put_call) == 1 && !service_->is_busy(); }));
  clock_.advance_ms(int64_t{25} * 3600 * 1000);
  poke();
  ASSERT_TRUE(is_settled());
  EXPECT_EQ(count("uploads_failed"), 1u);
  EXPECT_FALSE(lies_in_outbox(unit(1)));
}

// The clock on the wall is set while the daemon runs: nothing is given up for that, and nothing is kept for ever.
TEST_F(UploadTest, a_step_of_the_clock_is_not_an_age) {
  struct Steps final : Clock {
    explicit Steps(SharedClock& steady) : steady_clock(steady) {}
    int64_t wall_ns() override { return steady_clock.wall_ns() + step_ns; }
    int64_t monotonic_ns() override { return steady_clock.monotonic_ns(); }
    int64_t boottime_ns() override { return steady_clock.boottime_ns(); }
    int64_t file_clock_ns() override { return wall_ns(); }
    void let_file_clock_pass(int64_t) override {}
    SharedClock& steady_clock;
    std::atomic<int64_t> step_ns{0};
  };
  constexpr int64_t kYearMs = int64_t{365} * 24 * 3600 * 1000;
  for (int64_t step_ms : {kYearMs, -kYearMs}) {
    SCOPED_TRACE(step_ms);
    Steps steps(clock_);
    leave(unit(1), settings_);
    uint64_t before = remote_.asked(FakeRemote::put_call);
    remote_.fail_next(FakeRemote::put_call, kIo, 3);
    service_ = std::make_unique<Service>(here_.disk, steps, here_.layout, log_, [this](const RemoteSettings&) { return open(); }, 4);
    service_->publish({unit(1).action(), settings_});
    ASSERT_TRUE(eventually([&] { return remote_.asked(FakeRemote::put_call) == before + 1 && !service_->is_busy(); }));
    steps.step_ns = step_ms * 1'000'000;
    clock_.advance_ms(5'100);
    poke();
    ASSERT_TRUE(eventually([&] { return remote_.asked(FakeRemote::put_call) == before + 2 && !service_->is_busy(); }));
    EXPECT_TRUE(lies_in_outbox(unit(1)));
    EXPECT_EQ(service_->pending_uploads(), 1u);
    clock_.advance_ms(int64_t{25} * 3600 * 1000);  // a day of trying is a day, wherever the wall is
    poke();
    ASSERT_TRUE(is_settled());
    EXPECT_EQ(count("uploads_failed"), 1u);
    service_.reset();
  }
}

TEST_F(UploadTest, in_a_hurry_what_waits_stays_for_the_next_daemon) {
  leave(unit(1), settings_);
  remote_.fail_next(FakeRemote::put_call, kIo);
  start();
  service_->hurry();
  service_->publish({unit(1).action(), settings_});
  ASSERT_TRUE(is_settled());
  EXPECT_TRUE(lies_in_outbox(unit(1)));
  EXPECT_FALSE(is_shared(unit(1)));
}

// --- what an earlier daemon has left -----------------------------------------------------------------------------------

TEST_F(UploadTest, what_needs_no_secret_is_sent_at_once) {
  settings_.env.clear();
  leave(unit(1), settings_);
  start();
  service_->replay_outbox();
  ASSERT_TRUE(is_settled());
  EXPECT_TRUE(is_shared(unit(1)));
}

class ParkedTest : public UploadTest, public testing::WithParamInterface<bool> {};

TEST_P(ParkedTest, what_needs_secrets_waits_for_somebody_who_brings_them) {
  here_.compile(unit(2));
  leave(unit(1), settings_);
  start();
  service_->replay_outbox();
  EXPECT_EQ(service_->pending_uploads(), 1u);
  FetchRequest stranger = traces_of(unit(9));
  stranger.settings.env = {"AWS_SECRET_ACCESS_KEY=another"};
  fetch(stranger);
  (void)replies(1);
  EXPECT_EQ(remote_.asked(FakeRemote::put_call), 0u);
  EXPECT_EQ(service_->pending_uploads(), 1u);
  if (GetParam()) fetch(traces_of(unit(9)));
  else service_->publish({unit(2).action(), settings_});
  ASSERT_TRUE(is_settled());
  EXPECT_TRUE(is_shared(unit(1)));
  EXPECT_FALSE(lies_in_outbox(unit(1)));
}

INSTANTIATE_TEST_SUITE_P(ByFetchAndByPublish, ParkedTest, testing::Bool());

TEST_F(UploadTest, garbage_in_the_outbox_is_cleared_away) {
  (void)make_dirs(here_.disk, here_.layout.failed_outbox(), 0700);
  (void)here_.disk.create(here_.layout.outgoing(unit(1).action()), "garbage", 0600);
  (void)here_.disk.create(here_.layout.outgoing(unit(2).action()),
                          encode_outgoing({unit(1).action(), 1, {}, fingerprint({})}), 0600);  // of another result
  (void)here_.disk.create(here_.layout.outbox() + "/note.txt", "of somebody", 0600);
  start();
  service_->replay_outbox();
  EXPECT_EQ(service_->pending_uploads(), 0u);
  EXPECT_FALSE(lies_in_outbox(unit(1)));
  EXPECT_FALSE(lies_in_outbox(unit(2)));
  EXPECT_TRUE(here_.disk.stat(here_.layout.outbox() + "/note.txt").ok());
  std::string log = read_file(here_.disk, "/cache/daemon.log", 1 << 20).value_or("");
  EXPECT_NE(log.find("outbox: " + unit(2).action().hex() + ": of another result"), std::string::npos);
  EXPECT_EQ(remote_.asked(), 0u);
}

// --- packs -------------------------------------------------------------------------------------------------------------

class PackAheadTest : public AheadTest {
 protected:
  // A build of another machine; its results are only in the pack.
  ObjectName save_packed(int first, int last) {
    std::shared_ptr<RemoteSetup> setup = open().value();
    opened_--;
    RecordedSession session{"app", "", clock_.wall_ns(), {}};
    for (int i = first; i <= last; ++i) {
      there_.compile(unit(i));
      session.units.push_back({unit(i).invocation(), unit(i).action(), unit(i).name, 10, unit(i).outputs.at("lib").size()});
    }
    Exchange exchange(there_.disk, clock_, there_.layout, there_.boot, *setup->remote, setup->exchange);
    EXPECT_EQ(publish_session(exchange, *setup->remote, session, 1, true, {}).value().packed_units, session.units.size());
    std::vector<FakeRemote::Request> requests = remote_.requests();
    auto put = std::find_if(requests.begin(), requests.end(), [](const FakeRemote::Request& one) { return one.name.starts_with(kind_prefix(ObjectKind::pack)); });
    return ObjectName::parse(put->name).value();
  }
};

TEST_F(PackAheadTest, a_whole_build_comes_in_one_object) {
  save_packed(1, 12);
  start();
  fetch(traces_of(unit(99), "session"));
  ASSERT_TRUE(eventually([&] { return prefetch("downloads_completed") == 12; }));
  for (int i = 1; i <= 12; ++i) EXPECT_EQ(here_.entry(unit(i).action()).value().origin, EntryOrigin::ahead);
  EXPECT_EQ(here_.problem(), "");
}

TEST_F(PackAheadTest, who_asks_for_what_a_pack_brings_waits_for_it) {
  ObjectName pack = save_packed(1, 12);
  start();
  hold(pack);
  fetch(traces_of(unit(99), "session"));
  (void)replies(1);
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));
  fetch(traces_of(unit(7), "session"));
  EXPECT_EQ(count("remote_checks_joined"), 1u);
  gate_.open();
  EXPECT_EQ(replies(2)[1].kind, FetchReply::found);
  EXPECT_EQ(gets_of(ObjectName::traces(unit(7).invocation())), 0u);
}

TEST_F(PackAheadTest, who_has_waited_long_enough_gets_it_alone) {
  ObjectName pack = save_packed(1, 12);
  share(unit(7));
  start();
  hold(pack);
  fetch(traces_of(unit(99), "session"));
  (void)replies(1);
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));
  fetch(traces_of(unit(7), "session"));
  clock_.advance_ms(300);
  poke();
  EXPECT_TRUE(eventually([&] { return here_.has(unit(7)); }));
  EXPECT_GE(replies(3).size(), 3u);  // of 99, 7 and the poke; the pack still hangs
  EXPECT_EQ(gate_.waiting(), 1u);
  gate_.open();
  EXPECT_TRUE(eventually([&] { return here_.has(unit(12)); }));
}

TEST_F(PackAheadTest, what_a_broken_pack_does_not_bring_comes_alone) {
  ObjectName pack = save_packed(1, 12);
  for (int i = 1; i <= 12; ++i) share(unit(i));
  std::string bytes = remote_.bytes_of(pack).value();
  remote_.set(pack, bytes.substr(0, bytes.size() / 2));
  start();
  hold(pack);
  fetch(traces_of(unit(99), "session"));
  (void)replies(1);
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));
  fetch(traces_of(unit(12), "session"));
  gate_.open();
  EXPECT_EQ(replies(2)[1].kind, FetchReply::found);
  for (int i = 1; i <= 12; ++i) EXPECT_TRUE(eventually([&] { return here_.has(unit(i)); })) << i;
  EXPECT_EQ(here_.problem(true), "");
}

TEST_F(PackAheadTest, a_pack_that_is_gone_is_no_loss) {
  ObjectName pack = save_packed(1, 12);
  share(unit(3));
  remote_.erase(pack);
  start();
  fetch(traces_of(unit(99), "session"));
  EXPECT_TRUE(eventually([&] { return here_.has(unit(3)); }));
}

}  // namespace
}  // namespace kache
