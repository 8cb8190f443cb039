// Commit: from a finished, recorded compile to an entry in the store: inputs measured, evidence looked for, outputs taken
// in, traces updated. Or the reason why not; the user's build does not notice the difference.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "key/invocation_key.h"
#include "record/collect.h"
#include "store/blob.h"
#include "store/entry.h"
#include "store/memo.h"
#include "store/verify.h"
#include "wrapper/extra_inputs.h"
#include "wrapper/outputs.h"
#include "wrapper/process.h"

namespace kache {

struct CommitRequest {
  const CommandLine& line;
  const Invocation& invocation;
  const Roots& roots;
  const Config& config;
  const InvocationKey& key;
  const std::vector<KeyPart>& parts;
  const Observed& observed;
  const FoundOutputs& found;
  const ProcessResult& process;
  const ExtraInputs& extra;  // what the user declared
  int64_t started_ns;        // the file clock before the compile
  const std::vector<Input>& before;  // of files that are updated in place: what they were before the compiler ran
};

struct CommitReport {
  Refused refused;       // seen in time that the result must not be stored
  ActionKey action;
  uint64_t bytes = 0;
  uint32_t blobs = 0, new_blobs = 0;
  uint64_t linked_bytes = 0, cloned_bytes = 0, copied_bytes = 0;  // of new blobs
  InputSet inputs;
};

Result<CommitReport> commit_entry(FileSystem& fs, Clock& clock, BlobStore& blobs, Memo& memo, Verifier& verifier,
                                  const CommitRequest& request);

}  // namespace kache
