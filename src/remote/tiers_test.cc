#include "remote/tiers.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/fake_remote.h"

namespace kache {
namespace {

const Error kDead{ErrorCode::io, 0, "planned"};

// Three tiers: near and far are read and written, the middle is only read.
class TiersTest : public testing::Test {
 protected:
  TiersTest() { make({}); }
  void make(TiersSettings settings) {
    std::vector<Tier> tiers;
    for (auto [fake, name, writes] : {std::tuple{&near_, "near", true}, {&middle_, "middle", false}, {&far_, "far", true}}) {
      auto made = std::make_unique<FakeRemote>(name);
      *fake = made.get();
      tiers.push_back({std::move(made), true, writes});
    }
    tiers_ = std::make_unique<Tiers>(std::move(tiers), clock_, std::move(settings));
  }
  Result<std::string> get(const ObjectName& name, const Limits& limits = {}) {
    StringSink sink;
    KACHE_TRY(tiers_->get(name, sink, limits));
    return sink.bytes();
  }
  Status put(std::string_view bytes, const PutCondition& condition = {}) { return put_bytes(*tiers_, name_, bytes, condition, {}); }

  ManualClock clock_;
  FakeRemote *near_ = nullptr, *middle_ = nullptr, *far_ = nullptr;
  std::unique_ptr<Tiers> tiers_;
  ObjectName name_ = ObjectName::record(ActionKey{digest_bytes("one")});
  ObjectName other_ = ObjectName::record(ActionKey{digest_bytes("other")});
};

TEST_F(TiersTest, the_nearest_that_has_it_answers) {
  near_->set(name_, "near");
  far_->set(name_, "far");
  EXPECT_EQ(get(name_).value(), "near");
  EXPECT_EQ(middle_->asked() + far_->asked(), 0u);
  EXPECT_EQ(get(other_).code(), ErrorCode::not_found);
  EXPECT_EQ(far_->asked(), 1u);
}

TEST_F(TiersTest, what_was_far_is_near_afterwards) {
  far_->set(name_, "far");
  EXPECT_EQ(get(name_).value(), "far");
  EXPECT_EQ(near_->bytes_of(name_), "far");
  EXPECT_EQ(middle_->bytes_of(name_), std::nullopt);  // is only read
  EXPECT_EQ(get(name_).value(), "far");
  EXPECT_EQ(far_->asked(), 1u);
  EXPECT_EQ(tiers_->report()[0].fills, 1u);
}

TEST_F(TiersTest, a_lease_is_not_copied) {
  ObjectName lease = ObjectName::control("gc");
  far_->set(lease, "held");
  EXPECT_EQ(get(lease).value(), "held");
  EXPECT_EQ(near_->bytes_of(lease), std::nullopt);
}

TEST_F(TiersTest, a_failed_fill_is_nobodys_trouble) {
  far_->set(name_, "far");
  near_->fail_next(FakeRemote::put_call, kDead);
  EXPECT_EQ(get(name_).value(), "far");
  EXPECT_EQ(tiers_->report()[0].failed_fills, 1u);
}

TEST_F(TiersTest, a_nearer_tier_that_takes_less_is_not_filled_with_more) {
  near_->largest = 3;
  far_->set(name_, "four");
  EXPECT_EQ(get(name_).value(), "four");
  EXPECT_EQ(near_->asked(FakeRemote::put_call), 0u);
}

TEST_F(TiersTest, large_objects_are_brought_nearer_through_a_file) {
  std::string large(5 << 20, 'x');
  for (size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 + i / 4096);
  far_->set(name_, large);
  EXPECT_EQ(get(name_).value(), large);
  EXPECT_EQ(near_->bytes_of(name_), std::nullopt);  // no place for it
  TiersSettings settings;
  settings.spool_dir = "/tmp";
  make(settings);
  far_->set(name_, large);
  EXPECT_EQ(get(name_).value(), large);
  EXPECT_TRUE(near_->bytes_of(name_) == large);
  settings.spool_dir = "/no/such/directory";
  make(settings);
  far_->set(name_, large);
  EXPECT_EQ(get(name_).value(), large);
  EXPECT_EQ(near_->bytes_of(name_), std::nullopt);
}

TEST_F(TiersTest, one_that_fails_is_passed_over_and_an_unsure_miss_is_no_miss) {
  near_->fail_next(FakeRemote::get_call, kDead, 2);
  far_->set(name_, "far");
  EXPECT_EQ(get(name_).value(), "far");
  EXPECT_EQ(get(other_).error().message, "planned");
  EXPECT_EQ(get(other_).code(), ErrorCode::not_found);
}

TEST_F(TiersTest, one_that_is_dead_is_asked_three_times_in_all) {
  near_->fail_always(kDead);
  far_->set(name_, "far");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get(name_).value(), "far");
  EXPECT_EQ(near_->asked(FakeRemote::get_call), 3u);
  EXPECT_EQ(near_->asked(FakeRemote::put_call), 0u);  // nor filled
  EXPECT_EQ(tiers_->report()[0].read_state, CircuitBreaker::State::open);
  EXPECT_EQ(tiers_->report()[0].suppressed_reads, 17u);
}

TEST_F(TiersTest, one_that_breaks_off_early_is_replaced_and_the_caller_sees_one_object) {
  near_->set(name_, std::string(500'000, 'n'));
  near_->break_gets_after(300'000, kDead);
  far_->set(name_, "far");
  EXPECT_EQ(get(name_).value(), "far");
}

TEST_F(TiersTest, one_that_breaks_off_late_ends_the_get_and_the_caller_asks_on) {
  std::string large(3 << 20, 'x');
  near_->set(name_, large);
  near_->break_gets_after(2 << 20, kDead);
  far_->set(name_, large);
  EXPECT_EQ(get(name_).error().message, "planned");
  StringSink sink;
  EXPECT_EQ(tiers_->fetch(name_, sink, {}, 1).value().tier, 2u);
  EXPECT_TRUE(sink.bytes() == large);
}

TEST_F(TiersTest, what_is_wrong_is_asked_of_the_next_and_replaced) {
  near_->set(name_, "wrong");
  far_->set(name_, "right");
  StringSink sink;
  Fetched fetched = tiers_->fetch(name_, sink, {}).value();
  EXPECT_EQ(sink.bytes(), "wrong");
  tiers_->distrust(name_, fetched.tier);
  StringSink again;
  fetched = tiers_->fetch(name_, again, {}, fetched.tier + 1).value();
  EXPECT_EQ(again.bytes(), "right");
  EXPECT_EQ(near_->bytes_of(name_), "wrong");  // until it is known that the other one is right
  tiers_->fill(name_, fetched, {});
  EXPECT_EQ(near_->bytes_of(name_), "right");
  EXPECT_EQ(get(name_).value(), "right");
}

TEST_F(TiersTest, what_is_wrong_everywhere_is_replaced_by_the_next_put) {
  for (FakeRemote* one : {near_, middle_, far_}) one->set(name_, "wrong");
  for (size_t i = 0; i < 3; ++i) tiers_->distrust(name_, i);
  EXPECT_EQ(get(name_).code(), ErrorCode::not_found);
  EXPECT_FALSE(tiers_->has(name_, {}).value());
  ASSERT_TRUE(put("right", if_absent()).ok());
  EXPECT_EQ(near_->bytes_of(name_), "right");
  EXPECT_EQ(far_->bytes_of(name_), "right");
  EXPECT_EQ(put("again", if_absent()).code(), ErrorCode::exists);
}

TEST_F(TiersTest, a_put_goes_to_all_that_are_written) {
  ASSERT_TRUE(put("bytes").ok());
  EXPECT_EQ(near_->bytes_of(name_), "bytes");
  EXPECT_EQ(far_->bytes_of(name_), "bytes");
  EXPECT_EQ(middle_->asked(), 0u);
}

TEST_F(TiersTest, a_put_that_fails_somewhere_says_so_and_is_done_elsewhere) {
  near_->fail_next(FakeRemote::put_call, kDead);
  EXPECT_EQ(put("bytes").error().message, "planned");
  EXPECT_EQ(far_->bytes_of(name_), "bytes");
}

TEST_F(TiersTest, a_put_if_absent_fills_the_gaps) {
  far_->set(name_, "older");
  EXPECT_TRUE(put("bytes", if_absent()).ok());
  EXPECT_EQ(near_->bytes_of(name_), "bytes");
  EXPECT_EQ(far_->bytes_of(name_), "older");
  EXPECT_EQ(put("bytes", if_absent()).code(), ErrorCode::exists);
}

TEST_F(TiersTest, a_put_passes_over_those_that_take_less) {
  near_->largest = 3;
  EXPECT_EQ(tiers_->largest_object(), 0u);
  EXPECT_TRUE(put("four").ok());
  EXPECT_EQ(near_->asked(), 0u);
  far_->largest = 2;
  EXPECT_EQ(tiers_->largest_object(), 3u);
  EXPECT_EQ(put("four").code(), ErrorCode::too_large);
}

TEST_F(TiersTest, a_version_is_one_of_one_tier) {
  far_->set(name_, "1");
  StringSink sink;
  std::string version = tiers_->get(name_, sink, {}).value();
  EXPECT_TRUE(put("2", {PutCondition::if_version, version}).ok());
  EXPECT_EQ(far_->bytes_of(name_), "2");
  EXPECT_EQ(put("3", {PutCondition::if_version, version}).code(), ErrorCode::exists);
  EXPECT_EQ(put("3", {PutCondition::if_version, "7:1"}).code(), ErrorCode::invalid);
  middle_->set(other_, "1");
  version = tiers_->get(other_, sink, {}).value();
  EXPECT_EQ(put_bytes(*tiers_, other_, "2", {PutCondition::if_version, version}, {}).code(), ErrorCode::unsupported);
}

TEST_F(TiersTest, a_tier_that_hangs_leaves_half_of_the_time_to_the_next) {
  far_->set(name_, "far");
  near_->slow(clock_, 60'000);
  Limits limits;
  limits.deadline_ns = clock_.monotonic_ns() + int64_t{3'000} * 1'000'000;
  int64_t begin = clock_.monotonic_ns();
  EXPECT_EQ(get(name_, limits).value(), "far");
  EXPECT_EQ((clock_.monotonic_ns() - begin) / 1'000'000, 1'500);  // and it is not filled
}

TEST_F(TiersTest, has_asks_in_order) {
  middle_->set(name_, "x");
  EXPECT_TRUE(tiers_->has(name_, {}).value());
  EXPECT_EQ(far_->asked(), 0u);
  near_->fail_next(FakeRemote::has_call, kDead);
  EXPECT_FALSE(tiers_->has(other_, {}).ok());
  EXPECT_FALSE(tiers_->has(other_, {}).value());
}

TEST_F(TiersTest, a_listing_names_each_object_once) {
  near_->set(name_, "12");
  far_->set(name_, "345");
  far_->set(other_, "6");
  std::map<std::string, uint64_t> listed;
  auto visit = [&](const ListedObject& one) -> Status {
    EXPECT_TRUE(listed.emplace(one.name.text(), one.size).second);
    return Ok{};
  };
  ASSERT_TRUE(tiers_->list(ObjectKind::record, "", visit, {}).ok());
  EXPECT_EQ(listed, (std::map<std::string, uint64_t>{{name_.text(), 2}, {other_.text(), 1}}));
  near_->fail_next(FakeRemote::list_call, kDead);
  listed.clear();
  EXPECT_EQ(tiers_->list(ObjectKind::record, "", visit, {}).error().message, "planned");
  EXPECT_EQ(listed.size(), 2u);
  EXPECT_EQ(tiers_->list(ObjectKind::record, "", [](const ListedObject&) -> Status { return Error{ErrorCode::busy, 0, "enough"}; }, {}).error().message, "enough");
}

TEST_F(TiersTest, a_removal_is_everywhere_it_may_be) {
  for (FakeRemote* one : {near_, middle_, far_}) one->set(name_, "x");
  EXPECT_TRUE(tiers_->remove(name_, {}).ok());
  EXPECT_EQ(near_->size() + far_->size(), 0u);
  EXPECT_EQ(middle_->size(), 1u);
}

TEST_F(TiersTest, many_threads_find_what_is_there) {
  std::vector<ObjectName> names;
  for (int i = 0; i < 50; ++i) {
    names.push_back(ObjectName::record(ActionKey{digest_bytes(std::to_string(i))}));
    far_->set(names.back(), std::to_string(i));
  }
  std::vector<std::thread> crowd;
  for (int t = 0; t < 4; ++t) {
    crowd.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        size_t n = static_cast<size_t>(i * 7 + t) % names.size();
        if (i % 11 == 0) tiers_->distrust(names[n], 0);
        EXPECT_EQ(get(names[n]).value_or("lost"), std::to_string(n));
      }
    });
  }
  for (std::thread& thread : crowd) thread.join();
  EXPECT_EQ(near_->size(), 50u);
}

TEST(NoTiers, nothing_is_there_and_nothing_can_be_put) {
  ManualClock clock;
  Tiers tiers({}, clock);
  StringSink sink;
  ObjectName name = ObjectName::record(ActionKey{digest_bytes("one")});
  EXPECT_EQ(tiers.get(name, sink, {}).code(), ErrorCode::not_found);
  EXPECT_EQ(put_bytes(tiers, name, "x", {}, {}).code(), ErrorCode::unsupported);
}

}  // namespace
}  // namespace kache
