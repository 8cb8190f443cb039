#include "tests/support/service_lab.h"

namespace kache {
namespace {

const Error kIo{ErrorCode::io, 0, "planned"};

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

TEST_F(UploadTest, whoever_sends_says_too_how_long_to_stay) {
  settings_.options.push_back({"cache.daemon_idle_timeout_secs", {"7"}});
  leave(unit(1), settings_);
  start();
  service_->publish({unit(1).action(), settings_});
  EXPECT_EQ(service_->idle_timeout_secs(), 7u);
  ASSERT_TRUE(is_settled());
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

}  // namespace
}  // namespace kache
