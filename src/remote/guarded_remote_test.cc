#include "remote/guarded_remote.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/fake_remote.h"

namespace kache {
namespace {

const Error kTimedOut{ErrorCode::timed_out, 0, "planned"};

class GuardedRemoteTest : public testing::Test {
 protected:
  GuardedRemoteTest() {
    auto fake = std::make_unique<FakeRemote>();
    fake_ = fake.get();
    guarded_ = std::make_unique<GuardedRemote>(std::move(fake), clock_);
  }
  Result<std::string> get(const ObjectName& name, const Limits& limits = {}) {
    StringSink sink;
    KACHE_TRY(guarded_->get(name, sink, limits));
    return sink.bytes();
  }
  Status put(std::string_view bytes) { return put_bytes(*guarded_, name_, bytes, {}, {}); }

  ManualClock clock_;
  FakeRemote* fake_;
  std::unique_ptr<GuardedRemote> guarded_;
  ObjectName name_ = ObjectName::record(ActionKey{digest_bytes("one")});
};

TEST_F(GuardedRemoteTest, a_dead_remote_is_asked_three_times_in_45_seconds) {
  fake_->set(name_, "bytes");
  fake_->fail_always(kTimedOut);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(get(name_).ok());
  EXPECT_EQ(fake_->asked(), 3u);
  EXPECT_EQ(guarded_->reads().suppressed(), 97u);
  EXPECT_EQ(get(name_).error().message, "fake: no reads for 46 s, it failed several times");
  clock_.advance_ms(45'000);
  EXPECT_EQ(get(name_).code(), ErrorCode::timed_out);
  EXPECT_EQ(get(name_).code(), ErrorCode::busy);
  EXPECT_EQ(fake_->asked(), 4u);
  fake_->heal();
  clock_.advance_ms(45'000);
  EXPECT_EQ(get(name_).value(), "bytes");
  EXPECT_EQ(get(name_).value(), "bytes");
}

TEST_F(GuardedRemoteTest, reads_go_on_where_writes_fail) {
  fake_->set(name_, "bytes");
  fake_->fail_next(FakeRemote::put_call, {ErrorCode::no_space, 0, "full"}, 3);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(put("new").ok());
  EXPECT_EQ(fake_->asked(FakeRemote::put_call), 3u);
  EXPECT_EQ(get(name_).value(), "bytes");
}

TEST_F(GuardedRemoteTest, a_miss_is_asked_once_a_minute_and_a_put_ends_it) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(get(name_).code(), ErrorCode::not_found);
    EXPECT_FALSE(guarded_->has(name_, {}).value());
  }
  EXPECT_EQ(fake_->asked(), 1u);
  ASSERT_TRUE(put("bytes").ok());
  EXPECT_EQ(get(name_).value(), "bytes");
  fake_->erase(name_);
  EXPECT_FALSE(guarded_->has(name_, {}).value());
  fake_->set(name_, "of another");
  EXPECT_EQ(get(name_).code(), ErrorCode::not_found);
  clock_.advance_ms(60'000);
  EXPECT_EQ(get(name_).value(), "of another");
}

TEST_F(GuardedRemoteTest, a_listing_ends_a_miss) {
  EXPECT_EQ(get(name_).code(), ErrorCode::not_found);
  fake_->set(name_, "bytes");
  ASSERT_TRUE(guarded_->list(ObjectKind::record, "", [](const ListedObject&) -> Status { return Ok{}; }, {}).ok());
  EXPECT_EQ(get(name_).value(), "bytes");
}

// The get has seen nothing, the put comes in between, and the get says so late.
TEST_F(GuardedRemoteTest, an_absence_seen_before_a_put_does_not_outlive_it) {
  bool first = true;
  fake_->before = [&](FakeRemote::Call call, const std::string&) {
    if (call != FakeRemote::get_call || !std::exchange(first, false)) return;
    EXPECT_TRUE(put("bytes").ok());
    fake_->erase(name_);  // what the get finds
  };
  EXPECT_EQ(get(name_).code(), ErrorCode::not_found);
  fake_->set(name_, "bytes");
  EXPECT_EQ(get(name_).value(), "bytes");
}

class FailingSink final : public Sink {
 public:
  Status write(std::string_view) override { return Error{ErrorCode::io, 0, "our disk"}; }
};
class FailingSource final : public Source {
 public:
  uint64_t size() const override { return 1; }
  Status rewind() override { return Ok{}; }
  Result<size_t> read(char*, size_t) override { return Error{ErrorCode::io, 0, "our disk"}; }
};

TEST_F(GuardedRemoteTest, failures_of_our_own_end_do_not_speak_against_the_remote) {
  fake_->set(name_, "bytes");
  for (int i = 0; i < 5; ++i) {
    FailingSink sink;
    FailingSource source;
    EXPECT_EQ(guarded_->get(name_, sink, {}).error().message, "our disk");
    EXPECT_EQ(guarded_->put(name_, source, {}, {}).error().message, "our disk");
    EXPECT_FALSE(guarded_->list(ObjectKind::record, "", [](const ListedObject&) -> Status { return Error{ErrorCode::io, 0, "ours"}; }, {}).ok());
  }
  EXPECT_EQ(get(name_).value(), "bytes");
  EXPECT_TRUE(put("new").ok());
}

TEST_F(GuardedRemoteTest, who_gives_up_does_not_speak_against_the_remote) {
  std::atomic<bool> cancelled{true};
  Limits limits;
  limits.cancelled = &cancelled;
  fake_->fail_next(FakeRemote::get_call, kTimedOut, 5);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(get(name_, limits).ok());
  EXPECT_EQ(guarded_->reads().state(), CircuitBreaker::State::closed);
}

TEST_F(GuardedRemoteTest, what_it_never_takes_is_not_sent) {
  fake_->largest = 3;
  EXPECT_EQ(put("four").code(), ErrorCode::too_large);
  EXPECT_EQ(fake_->asked(), 0u);
}

TEST_F(GuardedRemoteTest, many_threads_ask_a_dead_remote_and_one_probes_it) {
  fake_->fail_always(kTimedOut);
  while (guarded_->reads().state() == CircuitBreaker::State::closed) EXPECT_FALSE(get(name_).ok());
  size_t before = fake_->asked();
  clock_.advance_ms(45'000);
  std::vector<std::thread> crowd;
  for (int i = 0; i < 8; ++i) {
    crowd.emplace_back([&] {
      for (int n = 0; n < 100; ++n) EXPECT_FALSE(get(name_).ok());
    });
  }
  for (std::thread& thread : crowd) thread.join();
  EXPECT_EQ(fake_->asked(), before + 1);
}

}  // namespace
}  // namespace kache
