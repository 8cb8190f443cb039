// Every change that a fetch or a publish makes in the store fails once, or is the last that the process does; every request
// to the remote fails once. Afterwards nothing can be seen whose content is missing or wrong, and a second try succeeds.
#include <errno.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/support/exchange_lab.h"
#include "tests/support/fault_file_system.h"

namespace kache {
namespace {

const LabUnit kUnit{"unit", "one", {{"libunit.rlib", noise(600 << 10)}, {"libunit.rmeta", "metadata"}}, "what it was made of"};

// One machine that has the result, one that lacks it, and the remote between them.
struct Lab {
  Lab() { writer.compile(kUnit); }

  std::unique_ptr<Tiers> tiers() {
    std::vector<Tier> one;
    one.push_back({std::make_unique<LentRemote>(remote), true, true});
    return std::make_unique<Tiers>(std::move(one), clock);
  }
  Status publish(FileSystem& fs) {
    std::unique_ptr<Tiers> remotes = tiers();
    Result<bool> sent = Exchange(fs, clock, writer.layout, writer.boot, *remotes, settings).publish(kUnit.action(), {});
    if (!sent.ok()) return std::move(sent).error();
    return Ok{};
  }
  Status fetch_traces(FileSystem& fs) {
    std::unique_ptr<Tiers> remotes = tiers();
    Result<FetchedTraces> traces = Exchange(fs, clock, reader.layout, reader.boot, *remotes, settings).fetch_traces(kUnit.invocation(), {});
    if (!traces.ok()) return std::move(traces).error();
    return Ok{};
  }
  Status fetch_record(FileSystem& fs) {
    std::unique_ptr<Tiers> remotes = tiers();
    return Exchange(fs, clock, reader.layout, reader.boot, *remotes, settings).fetch_record(kUnit.action(), {});
  }

  ManualClock clock;
  FakeRemote remote;
  ExchangeSettings settings;
  Machine writer{clock}, reader{clock};
};

// Names in the remote lead to what they say, or to nothing at all that anybody would follow.
void expect_sound_remote(Lab& lab) {
  Machine other(lab.clock);
  std::unique_ptr<Tiers> remotes = lab.tiers();
  Exchange exchange(other.disk, lab.clock, other.layout, other.boot, *remotes, lab.settings);
  bool has_record = lab.remote.bytes_of(ObjectName::record(kUnit.action())).has_value();
  bool has_traces = lab.remote.bytes_of(ObjectName::traces(kUnit.invocation())).has_value();
  if (has_record) { EXPECT_TRUE(exchange.fetch_record(kUnit.action(), {}).ok()); }
  if (has_traces) { EXPECT_TRUE(has_record); }
  EXPECT_EQ(other.problem(), "");
}

void expect_fetch_succeeds(Lab& lab) {
  EXPECT_TRUE(lab.fetch_traces(lab.reader.disk).ok());
  EXPECT_TRUE(lab.fetch_record(lab.reader.disk).ok());
  EXPECT_EQ(lab.reader.traces(kUnit.invocation()).candidates.size(), 1u);
  EXPECT_TRUE(lab.reader.has(kUnit));
  for (const auto& [name, bytes] : kUnit.outputs) EXPECT_TRUE(lab.reader.blob(bytes) == bytes) << name;
  EXPECT_EQ(origin_of(lab.reader.disk, lab.reader.layout, digest_bytes(kUnit.outputs.begin()->second)), digest_bytes(kUnit.origin));
}

using Act = Status (Lab::*)(FileSystem&);
using Check = std::function<void(Lab&, Machine&, bool died)>;

void run_disk_faults(Act act, Machine Lab::*machine, const std::function<void(Lab&)>& prepare, const Check& check) {
  uint64_t operations = 0;
  {
    Lab lab;
    prepare(lab);
    FaultFileSystem counted((lab.*machine).disk, {});
    ASSERT_TRUE((lab.*act)(counted).ok());
    operations = counted.mutations();
  }
  ASSERT_GT(operations, 0u);
  for (FaultPlan::Kind kind : {FaultPlan::fail, FaultPlan::fail_from, FaultPlan::kill, FaultPlan::torn}) {
    for (uint64_t at = 1; at <= operations; ++at) {
      Lab lab;
      prepare(lab);
      FaultFileSystem faulty((lab.*machine).disk, {kind, at, kind == FaultPlan::fail_from ? ENOSPC : EIO});
      (void)(lab.*act)(faulty);
      SCOPED_TRACE("plan " + std::to_string(kind) + " at " + std::to_string(at) + ": " + faulty.victim());
      EXPECT_TRUE(faulty.fired());
      bool died = kind == FaultPlan::kill || kind == FaultPlan::torn;
      EXPECT_EQ((lab.*machine).problem(died || faulty.victim().starts_with("unlink")), "");
      check(lab, lab.*machine, died);
      if (testing::Test::HasFailure()) return;
    }
  }
}

void published(Lab& lab) { ASSERT_TRUE(lab.publish(lab.writer.disk).ok()); }

TEST(ExchangeFaultTest, the_disk_fails_while_traces_are_fetched) {
  run_disk_faults(&Lab::fetch_traces, &Lab::reader, published, [](Lab& lab, Machine&, bool) { expect_fetch_succeeds(lab); });
}

TEST(ExchangeFaultTest, the_disk_fails_while_a_record_is_fetched) {
  run_disk_faults(&Lab::fetch_record, &Lab::reader, published, [](Lab& lab, Machine&, bool) { expect_fetch_succeeds(lab); });
}

TEST(ExchangeFaultTest, the_disk_fails_while_a_result_is_published) {
  run_disk_faults(&Lab::publish, &Lab::writer, [](Lab&) {}, [](Lab& lab, Machine&, bool) {
    expect_sound_remote(lab);
    EXPECT_TRUE(lab.publish(lab.writer.disk).ok());
    expect_fetch_succeeds(lab);
  });
}

// A full disk is the reader's own trouble.
TEST(ExchangeFaultTest, a_full_disk_is_told_apart_from_a_bad_remote) {
  Lab lab;
  published(lab);
  FaultFileSystem faulty(lab.reader.disk, {FaultPlan::fail_from, 1, ENOSPC});
  std::unique_ptr<Tiers> remotes = lab.tiers();
  Exchange exchange(faulty, lab.clock, lab.reader.layout, lab.reader.boot, *remotes, lab.settings);
  EXPECT_EQ(exchange.fetch_record(kUnit.action(), {}).code(), ErrorCode::no_space);
  EXPECT_TRUE(exchange.is_local());
}

// --- the remote --------------------------------------------------------------------------------------------------------

// The n-th request fails, or all from there on do.
void run_remote_faults(Act act, Machine Lab::*machine, const std::function<void(Lab&)>& prepare, const std::function<void(Lab&)>& check) {
  size_t requests = 0;
  {
    Lab lab;
    prepare(lab);
    size_t before = lab.remote.asked();
    ASSERT_TRUE((lab.*act)((lab.*machine).disk).ok());
    requests = lab.remote.asked() - before;
  }
  ASSERT_GT(requests, 0u);
  for (ErrorCode code : {ErrorCode::io, ErrorCode::timed_out, ErrorCode::denied, ErrorCode::not_found, ErrorCode::corrupt}) {
    for (bool goes_on : {false, true}) {
      for (size_t at = 0; at < requests; ++at) {
        SCOPED_TRACE("code " + std::to_string(static_cast<int>(code)) + " at request " + std::to_string(at));
        Lab lab;
        prepare(lab);
        size_t asked = 0;
        lab.remote.before = [&](FakeRemote::Call call, const std::string&) {
          if (asked++ == at || (goes_on && asked > at)) lab.remote.fail_next(call, {code, 0, "planned"});
        };
        (void)(lab.*act)((lab.*machine).disk);
        lab.remote.before = nullptr;
        lab.remote.heal();
        EXPECT_EQ((lab.*machine).problem(), "");
        check(lab);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST(ExchangeFaultTest, the_remote_fails_while_a_result_is_published) {
  run_remote_faults(&Lab::publish, &Lab::writer, [](Lab&) {}, [](Lab& lab) {
    expect_sound_remote(lab);
    EXPECT_TRUE(lab.publish(lab.writer.disk).ok());
    expect_fetch_succeeds(lab);
  });
}

TEST(ExchangeFaultTest, the_remote_fails_while_traces_are_fetched) {
  run_remote_faults(&Lab::fetch_traces, &Lab::reader, published, expect_fetch_succeeds);
}

TEST(ExchangeFaultTest, the_remote_fails_while_a_record_is_fetched) {
  run_remote_faults(&Lab::fetch_record, &Lab::reader, published, expect_fetch_succeeds);
}

TEST(ExchangeFaultTest, a_transfer_that_breaks_off_leaves_nothing) {
  for (size_t bytes : {size_t{0}, size_t{1}, size_t{100}, size_t{100'000}, size_t{500'000}}) {
    Lab lab;
    published(lab);
    lab.remote.break_gets_after(bytes, {ErrorCode::io, 0, "planned"});
    EXPECT_FALSE(lab.fetch_record(lab.reader.disk).ok());
    EXPECT_FALSE(lab.reader.has(kUnit));
    EXPECT_EQ(lab.reader.problem(), "");
    lab.remote.heal();
    expect_fetch_succeeds(lab);
  }
}

}  // namespace
}  // namespace kache
