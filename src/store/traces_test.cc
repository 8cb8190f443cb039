#include "store/traces.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

Input file(const std::string& name, const std::string& content) {
  return {InputKind::file, {{RootKind::workspace, 0}, name}, digest_bytes(content)};
}

ActionKey action(int number) { return {digest_bytes(std::to_string(number))}; }

// A source of its own, and two headers that all have.
InputSet set_of(int number) {
  InputSet set;
  set.inputs = {file("a.h", "a"), file("b.h", "b"), file("source.c", std::to_string(number))};
  set.env = {{"CPATH", false, {}}, {"LEVEL", true, digest_bytes("3"), "3"}};
  if (number % 2) set.bindings = {{{RootKind::workspace, 0}, "/place"}};
  return set;
}

TEST(Traces, GiveBackEachSetThatWasAdded) {
  Traces traces;
  traces.crate_name = "source.c";
  for (int i = 0; i < 100; ++i) traces.add(set_of(i), action(i));
  Result<Traces> again = decode_traces(encode_traces(traces), {});
  ASSERT_TRUE(again.ok());
  ASSERT_EQ(again->candidates.size(), 100u);
  EXPECT_EQ(again->inputs.size(), 102u);
  for (int i = 0; i < 100; ++i) {
    const Candidate& candidate = again->candidates[static_cast<size_t>(99 - i)];
    EXPECT_EQ(candidate.action, action(i));
    EXPECT_EQ(again->set_of(candidate), set_of(i));
    EXPECT_EQ(again->set_of(candidate).env.back().shown, "3");
  }
}

TEST(Traces, PutTheNewestFirstAndKeepAnActionOnce) {
  Traces traces;
  for (int number : {1, 2, 1}) traces.add(set_of(number), action(number));
  ASSERT_EQ(traces.candidates.size(), 2u);
  EXPECT_EQ(traces.candidates[0].action, action(1));
  EXPECT_EQ(traces.candidates[1].action, action(2));
}

TEST(Traces, ForgetTheOldest) {
  Traces traces;
  for (int i = 0; i < 300; ++i) traces.add(set_of(i), action(i));
  EXPECT_EQ(traces.candidates.size(), kMaxCandidates);
  EXPECT_EQ(traces.candidates.back().action, action(300 - static_cast<int>(kMaxCandidates)));
  EXPECT_EQ(traces.inputs.size(), kMaxCandidates + 2);
}

TEST(Traces, KeepFewerWhereTheyHaveLittleInCommon) {
  Traces traces;
  for (int i = 0; i < 40; ++i) {
    InputSet set;
    for (int j = 0; j < 1000; ++j) set.inputs.push_back(file(std::to_string(j), std::to_string(i)));
    traces.add(set, action(i));
  }
  EXPECT_EQ(traces.candidates.size(), kManyCandidates);
  EXPECT_EQ(traces.candidates.front().action, action(39));
}

TEST(Traces, KnowWhatSetsCandidatesApart) {
  Traces traces;
  traces.add(set_of(1), action(1));
  for (bool differs : traces.inputs_that_differ()) EXPECT_FALSE(differs);
  traces.add(set_of(2), action(2));
  std::vector<bool> differ = traces.inputs_that_differ();
  ASSERT_EQ(differ.size(), 4u);
  for (size_t i = 0; i < differ.size(); ++i) EXPECT_EQ(differ[i], traces.inputs[i].path.rest == "source.c");
}

TEST(Traces, AreCorruptWithRowsThatDoNotExist) {
  Traces traces;
  traces.add(set_of(1), action(1));
  ASSERT_TRUE(decode_any_traces(encode_traces(traces)).ok());
  for (std::vector<Rows> runs : {std::vector<Rows>{{0, 4}}, {{3, 1}}, {{0, 2}, {0, 2}}, {{4294967295, 2}}}) {
    traces.candidates.front().inputs = runs;
    EXPECT_FALSE(decode_any_traces(encode_traces(traces)).ok());
  }
}

}  // namespace
}  // namespace kache
