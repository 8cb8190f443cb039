// Traces: for one invocation, the input sets under which it has a known result, newest first. v1/traces/ab/<invocation key>.
//
// The sets of one invocation share nearly all that they hold: each input is kept once, and a candidate says which ones are
// its own. So one file may know many candidates (a configure script tries a hundred programs under one command line), and what
// sets them apart can be looked at first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "key/input.h"
#include "key/invocation_key.h"

namespace kache {

// Rows of a table, one after another.
struct Rows {
  uint32_t first = 0, count = 0;
  bool operator==(const Rows&) const = default;
};

struct Candidate {
  ActionKey action;
  std::vector<Rows> inputs, env;  // rows of the tables below, in the order of the set
  std::vector<Binding> bindings;
};

struct Traces {
  InvocationKey key;
  std::vector<KeyPart> parts;  // of the invocation key: what `kache why-miss` compares with
  std::string crate_name;
  std::vector<Input> inputs;   // each that a candidate has, once
  std::vector<EnvInput> env;
  std::vector<Candidate> candidates;

  // Puts a candidate first and drops an older one with the same action. The oldest go when there are more than
  // kMaxCandidates, or more than kManyCandidates with more than kManyInputs different inputs among them.
  void add(const InputSet& set, const ActionKey& action);
  // The candidates of `other` that are not among these, behind them. REQUIRES: other is about the same invocation.
  void add_older(const Traces& other);
  InputSet set_of(const Candidate& candidate) const;
  // Rows of `inputs` that some candidates have and others have not: true. Content of files only.
  std::vector<bool> inputs_that_differ() const;
};

// A file of kManyInputs takes about 300 kB, which each lookup reads and checks.
inline constexpr size_t kMaxCandidates = 256, kManyCandidates = 24, kManyInputs = 8192;
inline constexpr uint64_t kMaxTracesSize = uint64_t{64} << 20;

std::string encode_traces(const Traces& traces);
// `corrupt` for anything torn, foreign, of another schema or with another key than `key`.
Result<Traces> decode_traces(std::string_view bytes, const InvocationKey& key);
Result<Traces> decode_any_traces(std::string_view bytes);

}  // namespace kache
