// Set proof: one look into the memo instead of one for each of some hundred inputs.
//
// When all inputs of a candidate have been found to hold, the identities that stat gave for them are hashed, and the memo
// keeps the hash. When the same files have the same identities again, the candidate holds without asking for any content.
// Knows identities; unaware of digests. Not for use from several threads.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "key/input.h"
#include "store/memo.h"

namespace kache {

struct SetProof {
  bool is_possible = false;       // false: something that is covered is not there
  bool is_settled = false;        // every identity is older than the clock was: it may be kept
  Digest key;
  std::vector<bool> covered;      // which inputs the identities speak for; the others are asked one by one
};

struct SetProofRequest {
  const InputSet& set;
  const ActionKey& action;
  const Roots& roots;
  std::vector<std::string> busy_dirs;  // that change with every compile: the working directory, that of the outputs
};

// Costs one stat for each file and each directory of absent names.
SetProof gather_proof(FileSystem& fs, Clock& clock, const SetProofRequest& request);

bool is_proven(const Memo& memo, const SetProof& proof);
void keep_proof(Memo& memo, const SetProof& proof);

}  // namespace kache
