#include "tests/support/service_lab.h"

#include "remote/envelope.h"
#include "remote/session_packs.h"

namespace kache {
namespace {

const Error kIo{ErrorCode::io, 0, "planned"};

// --- ahead of the build ------------------------------------------------------------------------------------------------

class AheadTest : public ServiceTest {
 protected:
  // A session of another machine, of units that are in the remote.
  void save(int first, int last) {
    std::shared_ptr<RemoteSetup> setup = open().value();
    opened_--;
    RecordedSession session{"app", "", clock_.wall_ns(), {}};
    for (int i = first; i <= last; ++i) {
      share(unit(i));
      session.units.push_back({unit(i).invocation(), unit(i).action(), unit(i).name, 10, 100});
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

TEST_F(AheadTest, nothing_more_is_fetched_when_the_build_has_ended) {
  save(1, 20);
  start(2);
  hold(ObjectName::traces(unit(1).invocation()));
  fetch(traces_of(unit(99), "session"));
  ASSERT_TRUE(eventually([&] { return gate_.waiting() == 1; }));
  service_->finish_builds();
  gate_.open();
  EXPECT_TRUE(eventually([&] { return prefetch("keys_cancelled") == 19; }));
  EXPECT_FALSE(here_.has(unit(20)));
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
