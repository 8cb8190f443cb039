#include "remote/exchange.h"

#include <gtest/gtest.h>

#include "remote/verdict.h"
#include "tests/support/exchange_lab.h"

namespace kache {
namespace {

const LabUnit kSmall{"small", "one", {{"libsmall.rlib", "code of small"}, {"libsmall.rmeta", "metadata"}}};
const LabUnit kLarge{"large", "one", {{"liblarge.rlib", noise(900 << 10)}, {"liblarge.rmeta", "metadata of large"}}};

class ExchangeTest : public testing::Test {
 protected:
  // As long as it lives the remotes are what one daemon knows of them.
  std::unique_ptr<Tiers> tiers_of(std::vector<Remote*> remotes) {
    std::vector<Tier> tiers;
    for (Remote* remote : remotes) tiers.push_back({std::make_unique<LentRemote>(*remote), true, true});
    return std::make_unique<Tiers>(std::move(tiers), clock_);
  }
  Exchange exchange(Machine& machine, Tiers& tiers) { return {machine.disk, clock_, machine.layout, machine.boot, tiers, settings_}; }

  Result<bool> publish(Machine& machine, const LabUnit& unit) {
    std::unique_ptr<Tiers> tiers = tiers_of({&remote_});
    return exchange(machine, *tiers).publish(unit.action(), {});
  }
  Status fetch(Machine& machine, const LabUnit& unit) {
    std::unique_ptr<Tiers> tiers = tiers_of({&remote_});
    return exchange(machine, *tiers).fetch_unit(unit.invocation(), unit.action(), {});
  }
  size_t puts_of(ObjectKind kind) const {
    std::vector<FakeRemote::Request> requests = remote_.requests();
    return static_cast<size_t>(std::count_if(requests.begin(), requests.end(), [&](const FakeRemote::Request& one) {
      return one.call == FakeRemote::put_call && one.name.starts_with(kind_prefix(kind));
    }));
  }
  RemoteTraces shared_traces(const InvocationKey& key) {
    ObjectName name = ObjectName::traces(key);
    Opened opened = open_envelope(name, remote_.bytes_of(name).value_or(""), {}, kMaxRemotePayload).value();
    return decode_remote_traces(opened.payload, key).value();
  }

  ManualClock clock_;
  FakeRemote remote_, far_{"far"};
  ExchangeSettings settings_;
  Machine here_{clock_}, there_{clock_};
};

TEST_F(ExchangeTest, a_result_is_the_same_on_another_machine) {
  for (const LabUnit& unit : {kSmall, kLarge}) {
    here_.compile(unit);
    ASSERT_TRUE(publish(here_, unit).value());
    there_.boot = parse_boot_id("00000000-0000-0000-0000-000000000002");
    ASSERT_TRUE(fetch(there_, unit).ok());
    std::optional<Entry> entry = there_.entry(unit.action());
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->outputs, unit.entry().outputs);
    EXPECT_EQ(entry->crate_name, unit.name);
    EXPECT_EQ(entry->compile_ms, 1234u);
    EXPECT_EQ(entry->origin, EntryOrigin::fetched);
    EXPECT_EQ(entry->stamp.boot.bytes, there_.boot.bytes);
    for (const auto& [name, bytes] : unit.outputs) EXPECT_TRUE(there_.blob(bytes) == bytes) << name;
    Traces traces = there_.traces(unit.invocation());
    ASSERT_EQ(traces.candidates.size(), 1u);
    EXPECT_EQ(traces.set_of(traces.candidates[0]), unit.inputs());
    EXPECT_EQ(traces.parts.size(), 1u);
    EXPECT_EQ(there_.problem(), "");
  }
}

TEST_F(ExchangeTest, small_outputs_go_with_the_record) {
  here_.compile(kSmall);
  ASSERT_TRUE(publish(here_, kSmall).ok());
  EXPECT_EQ(remote_.size(), 2u);  // the record, the traces
  std::unique_ptr<Tiers> tiers = tiers_of({&remote_});
  Exchange exchange = this->exchange(there_, *tiers);
  FetchedTraces traces = exchange.fetch_traces(kSmall.invocation(), {}).value();
  EXPECT_TRUE(traces.brought_newest);
  EXPECT_EQ(traces.candidates, 1u);
  EXPECT_EQ(exchange.moved().requests, 1u);
  EXPECT_TRUE(there_.has(kSmall));
}

TEST_F(ExchangeTest, a_large_output_of_two_results_is_sent_once) {
  LabUnit other{"other", "two", {{"libother.rlib", kLarge.outputs.at("liblarge.rlib")}}};
  here_.compile(kLarge);
  here_.compile(other);
  ASSERT_TRUE(publish(here_, kLarge).ok());
  ASSERT_TRUE(publish(here_, other).ok());
  EXPECT_EQ(puts_of(ObjectKind::blob), 1u);
  EXPECT_EQ(puts_of(ObjectKind::record), 2u);
  ASSERT_TRUE(fetch(there_, kLarge).ok());
  std::unique_ptr<Tiers> tiers = tiers_of({&remote_});
  Exchange second = exchange(there_, *tiers);
  ASSERT_TRUE(second.fetch_record(other.action(), {}).ok());
  EXPECT_EQ(second.moved().blobs_skipped, 1u);
  EXPECT_EQ(second.moved().requests, 1u);
}

TEST_F(ExchangeTest, what_is_there_is_not_sent_again) {
  here_.compile(kLarge);
  EXPECT_TRUE(publish(here_, kLarge).value());
  EXPECT_FALSE(publish(here_, kLarge).value());
  EXPECT_EQ(puts_of(ObjectKind::blob), 1u);
  EXPECT_EQ(puts_of(ObjectKind::traces), 1u);
}

TEST_F(ExchangeTest, no_more_goes_with_a_record_than_its_bound) {
  LabUnit many{"many", "one", {}};
  for (unsigned i = 0; i < 5; ++i) many.outputs["part" + std::to_string(i)] = noise(100 << 10, i);
  here_.compile(many);
  ASSERT_TRUE(publish(here_, many).ok());
  EXPECT_EQ(puts_of(ObjectKind::blob), 3u);  // two of 100 kB are below 256 kB
  EXPECT_LT(remote_.bytes_of(ObjectName::record(many.action()))->size(), kMaxInlined + 4096);
  ASSERT_TRUE(fetch(there_, many).ok());
  for (const auto& [name, bytes] : many.outputs) EXPECT_TRUE(there_.blob(bytes) == bytes) << name;
}

TEST_F(ExchangeTest, an_empty_output_travels) {
  LabUnit empty{"empty", "one", {{"nothing", ""}}};
  here_.compile(empty);
  ASSERT_TRUE(publish(here_, empty).ok());
  ASSERT_TRUE(fetch(there_, empty).ok());
  EXPECT_EQ(there_.blob(""), "");
}

TEST_F(ExchangeTest, what_a_header_was_made_of_travels) {
  LabUnit header{"all.h", "one", {{"all.h.gch", "made otherwise each time"}}, "its inputs"};
  here_.compile(header);
  ASSERT_TRUE(publish(here_, header).ok());
  ASSERT_TRUE(fetch(there_, header).ok());
  EXPECT_EQ(origin_of(there_.disk, there_.layout, digest_bytes("made otherwise each time")), digest_bytes("its inputs"));
}

TEST_F(ExchangeTest, nothing_of_this_machine_leaves_it) {
  here_.compile(kSmall);
  ASSERT_TRUE(publish(here_, kSmall).ok());
  ObjectName record = ObjectName::record(kSmall.action());
  Opened opened = open_envelope(record, *remote_.bytes_of(record), {}, kMaxRemotePayload).value();
  RemoteRecord decoded = decode_record(opened.payload, kSmall.action()).value();
  EXPECT_FALSE(decoded.entry.stamp.boot.is_known());
  EXPECT_EQ(decoded.entry.stamp.boottime_ns, 0);
  ObjectName traces = ObjectName::traces(kSmall.invocation());
  std::string payload = open_envelope(traces, *remote_.bytes_of(traces), {}, kMaxRemotePayload)->payload;
  EXPECT_EQ(payload.find("shown only here"), std::string::npos);
}

// --- what must never be believed ---------------------------------------------------------------------------------------

struct Damage {
  const char* name;
  std::string (*of)(std::string bytes);
};
const Damage kDamages[] = {
    {"empty", [](std::string) { return std::string(); }},
    {"cut", [](std::string bytes) { return bytes.substr(0, bytes.size() - 1); }},
    {"half", [](std::string bytes) { return bytes.substr(0, bytes.size() / 2); }},
    {"longer", [](std::string bytes) { return bytes + "x"; }},
    {"flipped early", [](std::string bytes) { bytes[bytes.size() / 4] ^= 1; return bytes; }},
    {"flipped late", [](std::string bytes) { bytes[bytes.size() - 40] ^= 1; return bytes; }},
    {"text", [](std::string) { return std::string("<html>404</html>"); }},
};

TEST_F(ExchangeTest, damaged_objects_never_become_visible) {
  here_.compile(kLarge);
  ASSERT_TRUE(publish(here_, kLarge).ok());
  ObjectName blob = ObjectName::blob({digest_bytes(kLarge.outputs.at("liblarge.rlib"))});
  for (const ObjectName& name : {ObjectName::record(kLarge.action()), blob, ObjectName::traces(kLarge.invocation())}) {
    std::string good = remote_.bytes_of(name).value();
    for (const Damage& damage : kDamages) {
      SCOPED_TRACE(name.text().substr(0, 12) + " " + damage.name);
      remote_.set(name, damage.of(good));
      Machine machine(clock_);
      std::unique_ptr<Tiers> tiers = tiers_of({&remote_});
      Exchange exchange = this->exchange(machine, *tiers);
      if (name.kind() == ObjectKind::traces) {
        EXPECT_EQ(exchange.fetch_traces(kLarge.invocation(), {}).code(), ErrorCode::corrupt);
      } else {
        Status status = exchange.fetch_record(kLarge.action(), {});
        ASSERT_FALSE(status.ok());
        EXPECT_TRUE(status.code() == ErrorCode::corrupt || status.code() == ErrorCode::too_large) << status.error().message;
      }
      EXPECT_FALSE(exchange.is_local());
      EXPECT_FALSE(machine.has(kLarge));
      EXPECT_EQ(machine.problem(), "");
    }
    remote_.set(name, good);
  }
}

TEST_F(ExchangeTest, objects_of_other_keys_are_refused) {
  here_.compile(kSmall);
  here_.compile(kLarge);
  ASSERT_TRUE(publish(here_, kSmall).ok());
  ASSERT_TRUE(publish(here_, kLarge).ok());
  remote_.set(ObjectName::record(kLarge.action()), *remote_.bytes_of(ObjectName::record(kSmall.action())));
  remote_.set(ObjectName::traces(kLarge.invocation()), *remote_.bytes_of(ObjectName::traces(kSmall.invocation())));
  std::unique_ptr<Tiers> tiers = tiers_of({&remote_});
  EXPECT_EQ(exchange(there_, *tiers).fetch_record(kLarge.action(), {}).code(), ErrorCode::corrupt);
  EXPECT_EQ(exchange(there_, *tiers).fetch_traces(kLarge.invocation(), {}).code(), ErrorCode::corrupt);
  EXPECT_FALSE(there_.has(kLarge));
  EXPECT_FALSE(there_.has(kSmall));
  EXPECT_EQ(there_.problem(), "");
}

// A well-formed envelope under the right name, with another result in it.
TEST_F(ExchangeTest, a_record_of_another_key_in_a_right_envelope_is_refused) {
  RemoteRecord record;
  record.entry = kSmall.entry();
  ObjectName name = ObjectName::record(kLarge.action());
  remote_.set(name, seal_envelope(name, encode_record(record), 3, nullptr));
  std::unique_ptr<Tiers> tiers = tiers_of({&remote_});
  EXPECT_EQ(exchange(there_, *tiers).fetch_record(kLarge.action(), {}).code(), ErrorCode::corrupt);
  EXPECT_EQ(there_.problem(), "");
}

TEST_F(ExchangeTest, only_what_is_signed_by_somebody_trusted_comes_in) {
  SigningKey friendly = SigningKey::generate(), stranger = SigningKey::generate();
  settings_.trust = {{friendly.public_key()}, true};
  struct Row {
    const SigningKey* signer;
    bool comes_in;
  };
  for (const Row& row : {Row{nullptr, false}, Row{&stranger, false}, Row{&friendly, true}}) {
    FakeRemote remote;
    Machine writer(clock_), reader(clock_);
    writer.compile(kSmall);
    ExchangeSettings writes;
    writes.signer = row.signer;
    std::unique_ptr<Tiers> tiers = tiers_of({&remote});
    ASSERT_TRUE(Exchange(writer.disk, clock_, writer.layout, writer.boot, *tiers, writes).publish(kSmall.action(), {}).ok());
    FetchedTraces traces = exchange(reader, *tiers).fetch_traces(kSmall.invocation(), {}).value();
    EXPECT_EQ(traces.refused.empty(), row.comes_in) << traces.refused;
    EXPECT_EQ(traces.candidates, 1u);  // input sets prove themselves
    EXPECT_EQ(reader.has(kSmall), row.comes_in);
    Status alone = exchange(reader, *tiers).fetch_record(kSmall.action(), {});
    EXPECT_EQ(alone.ok(), row.comes_in);
    if (!row.comes_in) { EXPECT_EQ(alone.code(), ErrorCode::denied); }
    EXPECT_EQ(reader.has(kSmall), row.comes_in);
    EXPECT_EQ(reader.problem(), "");
  }
}

TEST_F(ExchangeTest, who_signs_replaces_what_nobody_would_believe) {
  here_.compile(kSmall);
  ASSERT_TRUE(publish(here_, kSmall).value());
  SigningKey key = SigningKey::generate();
  settings_.signer = &key;
  settings_.trust = {{key.public_key()}, true};
  EXPECT_TRUE(publish(here_, kSmall).value());
  std::unique_ptr<Tiers> tiers = tiers_of({&remote_});
  EXPECT_TRUE(exchange(there_, *tiers).fetch_record(kSmall.action(), {}).ok());
  EXPECT_FALSE(publish(here_, kSmall).value());
}

// --- several that write ------------------------------------------------------------------------------------------------

LabUnit variant(const std::string& source) { return {"unit", source, {{"libunit.rlib", "code of " + source}}}; }

TEST_F(ExchangeTest, of_two_that_write_at_once_both_are_found) {
  LabUnit one = variant("one"), two = variant("two");
  here_.compile(one);
  there_.compile(two);
  bool was_there = false;
  remote_.before = [&](FakeRemote::Call call, const std::string& name) {
    if (call != FakeRemote::put_call || was_there || !name.starts_with(kind_prefix(ObjectKind::traces))) return;
    was_there = true;
    ASSERT_TRUE(publish(there_, two).ok());  // between the other's read and write
  };
  ASSERT_TRUE(publish(here_, one).ok());
  RemoteTraces traces = shared_traces(one.invocation());
  ASSERT_EQ(traces.traces.candidates.size(), 2u);
  EXPECT_EQ(traces.traces.candidates[0].action, one.action());
  EXPECT_EQ(traces.traces.candidates[1].action, two.action());
  EXPECT_EQ(traces.records.size(), 2u);
  Machine third(clock_);
  ASSERT_TRUE(fetch(third, two).ok());
  EXPECT_TRUE(third.has(one));
  EXPECT_TRUE(third.has(two));
}

// An engine that knows neither versions nor conditions.
class Careless final : public LentRemote {
 public:
  using LentRemote::LentRemote;
  Result<std::string> get(const ObjectName& name, Sink& sink, const Limits& limits) override {
    KACHE_TRY(LentRemote::get(name, sink, limits));
    return std::string();
  }
  Status put(const ObjectName& name, Source& source, const PutCondition&, const Limits& limits) override {
    return LentRemote::put(name, source, {}, limits);
  }
};

TEST_F(ExchangeTest, an_engine_without_conditions_keeps_what_was_there) {
  Careless careless(remote_);
  LabUnit one = variant("one"), two = variant("two");
  here_.compile(one);
  there_.compile(two);
  std::unique_ptr<Tiers> tiers = tiers_of({&careless});
  ASSERT_TRUE(exchange(here_, *tiers).publish(one.action(), {}).ok());
  ASSERT_TRUE(exchange(there_, *tiers).publish(two.action(), {}).ok());
  EXPECT_EQ(shared_traces(one.invocation()).traces.candidates.size(), 2u);
}

TEST_F(ExchangeTest, traces_that_nobody_can_read_are_replaced) {
  here_.compile(kSmall);
  ObjectName name = ObjectName::traces(kSmall.invocation());
  remote_.set(name, "garbage");
  ASSERT_TRUE(publish(here_, kSmall).ok());
  EXPECT_EQ(shared_traces(kSmall.invocation()).traces.candidates.size(), 1u);
}

// A name that leads to nothing must not hide what lies beside it.
TEST_F(ExchangeTest, a_result_without_its_content_does_not_hide_the_others) {
  LabUnit lost{"unit", "lost", {{"libunit.rlib", noise(900 << 10, 7)}}}, good = variant("good");
  here_.compile(lost);
  here_.compile(good);
  ASSERT_TRUE(publish(here_, good).ok());
  ASSERT_TRUE(publish(here_, lost).ok());
  remote_.erase(ObjectName::blob({digest_bytes(lost.outputs.at("libunit.rlib"))}));
  EXPECT_TRUE(fetch(there_, good).ok());
  EXPECT_TRUE(there_.has(good));
  EXPECT_FALSE(there_.has(lost));
  EXPECT_EQ(there_.problem(), "");
}

// One large result may be what is asked for; all of them are not.
TEST_F(ExchangeTest, large_results_of_old_candidates_do_not_come_along) {
  LabUnit old{"unit", "old", {{"libunit.rlib", noise(900 << 10, 7)}}}, newest{"unit", "newest", {{"libunit.rlib", noise(900 << 10, 8)}}};
  for (const LabUnit& unit : {old, newest}) {
    here_.compile(unit);
    ASSERT_TRUE(publish(here_, unit).ok());
  }
  std::unique_ptr<Tiers> tiers = tiers_of({&remote_});
  Exchange exchange = this->exchange(there_, *tiers);
  FetchedTraces traces = exchange.fetch_traces(old.invocation(), {}).value();
  EXPECT_TRUE(traces.brought_newest);
  EXPECT_EQ(traces.candidates, 2u);
  EXPECT_EQ(exchange.moved().requests, 2u);
  EXPECT_FALSE(there_.has(old));
  EXPECT_TRUE(exchange.fetch_record(old.action(), {}).ok());
  EXPECT_TRUE(there_.has(old));
}

// --- tiers -------------------------------------------------------------------------------------------------------------

TEST_F(ExchangeTest, where_the_nearest_is_wrong_the_next_is_asked_and_the_nearest_is_mended) {
  here_.compile(kLarge);
  std::unique_ptr<Tiers> writer = tiers_of({&remote_, &far_});
  ASSERT_TRUE(exchange(here_, *writer).publish(kLarge.action(), {}).ok());
  ObjectName blob = ObjectName::blob({digest_bytes(kLarge.outputs.at("liblarge.rlib"))});
  for (const ObjectName& name : {ObjectName::record(kLarge.action()), blob}) {
    std::string good = far_.bytes_of(name).value();
    for (const Damage& damage : kDamages) {
      SCOPED_TRACE(name.text().substr(0, 12) + " " + damage.name);
      remote_.set(name, damage.of(good));
      Machine machine(clock_);
      std::unique_ptr<Tiers> tiers = tiers_of({&remote_, &far_});
      EXPECT_TRUE(exchange(machine, *tiers).fetch_record(kLarge.action(), {}).ok());
      EXPECT_EQ(machine.problem(), "");
      EXPECT_TRUE(machine.has(kLarge));
      EXPECT_TRUE(remote_.bytes_of(name) == good);
    }
  }
}

// A right envelope says only that the bytes are what was put under this name.
TEST_F(ExchangeTest, what_can_not_be_read_in_a_right_envelope_is_looked_for_in_the_next) {
  here_.compile(kSmall);
  std::unique_ptr<Tiers> writer = tiers_of({&remote_, &far_});
  ASSERT_TRUE(exchange(here_, *writer).publish(kSmall.action(), {}).ok());
  auto fetch_from = [&](Tiers& tiers, Machine& machine, const ObjectName& name) -> Status {
    if (name.kind() == ObjectKind::record) return exchange(machine, tiers).fetch_record(kSmall.action(), {});
    Result<FetchedTraces> traces = exchange(machine, tiers).fetch_traces(kSmall.invocation(), {});
    return traces.ok() ? Status(Ok{}) : Status(traces.error());
  };
  for (const ObjectName& name : {ObjectName::record(kSmall.action()), ObjectName::traces(kSmall.invocation())}) {
    SCOPED_TRACE(name.text());
    std::string good = far_.bytes_of(name).value(), nothing = seal_envelope(name, "nothing of the kind", 3, nullptr);
    remote_.set(name, nothing);
    Machine alone(clock_), machine(clock_);
    EXPECT_EQ(fetch_from(*tiers_of({&remote_}), alone, name).code(), ErrorCode::corrupt);
    EXPECT_FALSE(alone.has(kSmall));
    EXPECT_TRUE(fetch_from(*tiers_of({&remote_, &far_}), machine, name).ok());
    EXPECT_TRUE(machine.has(kSmall));
    EXPECT_TRUE(remote_.bytes_of(name) == good);  // and the nearest is mended
  }
}

// Nor does it hide from who signs that nobody can use what is there.
TEST_F(ExchangeTest, who_signs_replaces_what_can_not_be_read) {
  here_.compile(kSmall);
  SigningKey key = SigningKey::generate();
  settings_.signer = &key;
  ObjectName name = ObjectName::record(kSmall.action());
  remote_.set(name, seal_envelope(name, "nothing of the kind", 3, &key));
  EXPECT_TRUE(publish(here_, kSmall).value());
  std::unique_ptr<Tiers> tiers = tiers_of({&remote_});
  EXPECT_TRUE(exchange(there_, *tiers).fetch_record(kSmall.action(), {}).ok());
}

// `remote verify` has found that a compile makes something else.
TEST_F(ExchangeTest, what_is_disbelieved_here_does_not_come_in_again) {
  here_.compile(kLarge);
  ASSERT_TRUE(publish(here_, kLarge).ok());
  VerdictNote verdict;
  verdict.key = kLarge.action();
  for (Verdict kind : {Verdict::differs, Verdict::unsteady, Verdict::failed, Verdict::skipped}) {
    verdict.verdict = kind;
    Machine machine(clock_);
    ASSERT_TRUE(keep_verdict(machine.disk, machine.layout, verdict).ok());
    Status done = fetch(machine, kLarge);
    EXPECT_EQ(done.ok(), kind != Verdict::differs) << verdict_name(kind);
    EXPECT_EQ(machine.has(kLarge), kind != Verdict::differs);
    if (!done.ok()) { EXPECT_NE(done.error().message.find("another result"), std::string::npos); }
  }
}

TEST_F(ExchangeTest, wrong_content_is_replaced_by_the_next_publish) {
  here_.compile(kLarge);
  ASSERT_TRUE(publish(here_, kLarge).ok());
  ObjectName blob = ObjectName::blob({digest_bytes(kLarge.outputs.at("liblarge.rlib"))});
  std::string good = remote_.bytes_of(blob).value();
  remote_.set(blob, "garbage");
  std::unique_ptr<Tiers> tiers = tiers_of({&remote_});
  EXPECT_FALSE(exchange(there_, *tiers).fetch_record(kLarge.action(), {}).ok());
  clock_.advance_ms(600'000);  // the compile took long, and so did the outbox
  there_.compile(kLarge);
  ASSERT_TRUE(exchange(there_, *tiers).publish(kLarge.action(), {}).ok());
  EXPECT_TRUE(remote_.bytes_of(blob) == good);
}

// After a failure of one of them the other has it already; each must get it all the same.
TEST_F(ExchangeTest, a_second_attempt_brings_the_content_to_each_tier) {
  here_.compile(kLarge);
  std::unique_ptr<Tiers> tiers = tiers_of({&remote_, &far_});
  far_.fail_next(FakeRemote::put_call, {ErrorCode::io, 0, "planned"});
  EXPECT_FALSE(exchange(here_, *tiers).publish(kLarge.action(), {}).ok());
  ASSERT_TRUE(exchange(here_, *tiers).publish(kLarge.action(), {}).ok());
  std::unique_ptr<Tiers> only_far = tiers_of({&far_});
  EXPECT_TRUE(exchange(there_, *only_far).fetch_record(kLarge.action(), {}).ok());
  EXPECT_EQ(there_.problem(), "");
}

}  // namespace
}  // namespace kache
