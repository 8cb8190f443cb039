#include "remote/record.h"

#include <gtest/gtest.h>

#include "tests/support/exchange_lab.h"

namespace kache {
namespace {

const LabUnit kUnit{"unit", "one", {{"a", "first output"}, {"b", "second output"}}};

RemoteRecord record() {
  RemoteRecord record;
  record.entry = kUnit.entry();
  for (const auto& [name, bytes] : kUnit.outputs) record.inlined[{digest_bytes(bytes)}] = bytes;
  record.origins[{digest_bytes("first output")}] = digest_bytes("origin");
  return record;
}

RemoteTraces traces_of(const std::vector<std::string>& sources) {
  RemoteTraces traces;
  traces.traces.key = kUnit.invocation();
  for (const std::string& source : sources) {
    LabUnit unit{"unit", source, {}};
    traces.traces.add(unit.inputs(), unit.action());
    traces.records[unit.action()] = "envelope of " + source;
  }
  return traces;
}

TEST(RecordTest, is_read_as_it_is_written) {
  RemoteRecord again = decode_record(encode_record(record()), kUnit.action()).value();
  EXPECT_EQ(again.entry.outputs, record().entry.outputs);
  EXPECT_EQ(again.inlined, record().inlined);
  EXPECT_EQ(again.origins, record().origins);
}

TEST(RecordTest, leaves_out_what_belongs_to_one_machine) {
  RemoteRecord local = record();
  local.entry.stamp.boottime_ns = 77;
  local.entry.stamp.boot.bytes[0] = 1;
  local.entry.origin = EntryOrigin::ahead;
  EXPECT_EQ(encode_record(local), encode_record(record()));
}

TEST(RecordTest, of_another_key_or_schema_is_refused) {
  std::string good = encode_record(record());
  EXPECT_EQ(decode_record(good, {digest_bytes("another")}).code(), ErrorCode::corrupt);
  std::string other = good;
  other[0] = static_cast<char>(other[0] + 1);
  EXPECT_EQ(decode_record(other, kUnit.action()).code(), ErrorCode::corrupt);
}

TEST(RecordTest, what_is_inlined_is_the_content_of_an_output) {
  RemoteRecord wrong = record();
  wrong.inlined[{digest_bytes("first output")}] = "other output";  // as long
  EXPECT_EQ(decode_record(encode_record(wrong), kUnit.action()).code(), ErrorCode::corrupt);
  RemoteRecord foreign = record();
  foreign.inlined[{digest_bytes("of nobody")}] = "of nobody";
  EXPECT_EQ(decode_record(encode_record(foreign), kUnit.action()).code(), ErrorCode::corrupt);
  RemoteRecord origin = record();
  origin.origins[{digest_bytes("of nobody")}] = digest_bytes("x");
  EXPECT_EQ(decode_record(encode_record(origin), kUnit.action()).code(), ErrorCode::corrupt);
}

TEST(RecordTest, every_cut_and_every_addition_is_refused) {
  std::string good = encode_record(record()), traces = encode_remote_traces(traces_of({"one"}));
  for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(decode_record(good.substr(0, size), kUnit.action()).ok()) << size;
  EXPECT_FALSE(decode_record(good + "x", kUnit.action()).ok());
  for (size_t size = 0; size < traces.size(); ++size) EXPECT_FALSE(decode_remote_traces(traces.substr(0, size), kUnit.invocation()).ok()) << size;
  EXPECT_FALSE(decode_remote_traces(traces + "x", kUnit.invocation()).ok());
}

TEST(RemoteTracesTest, are_read_as_they_are_written) {
  RemoteTraces again = decode_remote_traces(encode_remote_traces(traces_of({"one", "two"})), kUnit.invocation()).value();
  ASSERT_EQ(again.traces.candidates.size(), 2u);
  LabUnit two{"unit", "two", {}};
  EXPECT_EQ(again.traces.candidates[0].action, two.action());
  EXPECT_EQ(again.traces.set_of(again.traces.candidates[0]), two.inputs());
  EXPECT_EQ(again.records.at(two.action()), "envelope of two");
  EXPECT_EQ(decode_remote_traces(encode_remote_traces(traces_of({"one"})), {digest_bytes("another")}).code(), ErrorCode::corrupt);
}

TEST(RemoteTracesTest, candidates_whose_inputs_do_not_make_their_key_are_dropped) {
  RemoteTraces lying = traces_of({"one"});
  LabUnit two{"unit", "two", {}};
  lying.traces.add(two.inputs(), {digest_bytes("the key of something else")});
  RemoteTraces again = decode_remote_traces(encode_remote_traces(lying), kUnit.invocation()).value();
  ASSERT_EQ(again.traces.candidates.size(), 1u);
  EXPECT_EQ(again.traces.candidates[0].action, kUnit.action());
}

TEST(RemoteTracesTest, hold_no_values_of_variables) {
  EXPECT_EQ(encode_remote_traces(traces_of({"one"})).find("shown only here"), std::string::npos);
}

TEST(RemoteTracesTest, the_newest_results_are_kept_up_to_the_bound) {
  RemoteTraces traces = traces_of({"one", "two", "three"});
  for (auto& [key, envelope] : traces.records) envelope = std::string(kMaxRecordsInTraces / 2, 'x');
  traces.records[{digest_bytes("of no candidate")}] = "x";
  keep_newest_records(traces);
  EXPECT_EQ(traces.records.size(), 2u);
  EXPECT_EQ(traces.records.count((LabUnit{"unit", "one", {}}).action()), 0u);
  RemoteTraces one = traces_of({"one"});
  one.records.begin()->second = std::string(kMaxRecordsInTraces + 1, 'x');
  keep_newest_records(one);
  EXPECT_TRUE(one.records.empty());
}

}  // namespace
}  // namespace kache
