// Traces: for one invocation, the input sets under which it has a known result, newest first.
// v1/traces/ab/<invocation key>. Paths and variable names are written once and shared by all candidates.
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

struct Candidate {
  InputSet inputs;
  ActionKey action;
};

struct Traces {
  InvocationKey key;
  std::vector<KeyPart> parts;  // of the invocation key: what `kache why-miss` compares with
  std::string crate_name;
  std::vector<Candidate> candidates;

  // Puts the candidate first, drops an older one with the same inputs, and keeps at most kMaxCandidates.
  void add(Candidate candidate);
};

inline constexpr size_t kMaxCandidates = 24;
inline constexpr uint64_t kMaxTracesSize = uint64_t{64} << 20;

std::string encode_traces(const Traces& traces);
// `corrupt` for anything torn, foreign, of another schema or with another key than `key`.
Result<Traces> decode_traces(std::string_view bytes, const InvocationKey& key);
Result<Traces> decode_any_traces(std::string_view bytes);

}  // namespace kache
