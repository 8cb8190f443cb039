// Measure: what a compile was seen to read, as inputs with digests. Each is the very bytes or the very answer that the
// compiler got, or nobody can say that any more and the result must not be stored.
//
// Knows the record and how questions are asked again; unaware of outputs and the store. Not for use from several threads.
#pragma once

#include <vector>

#include "base/file_system.h"
#include "compiler/refusal.h"
#include "key/input.h"
#include "key/roots.h"
#include "record/collect.h"
#include "store/memo.h"
#include "store/verify.h"
#include "wrapper/extra_inputs.h"

namespace kache {

struct MeasureRequest {
  const Roots& roots;
  const Observed& observed;
  const ExtraInputs& extra;          // what the user declared
  const std::vector<Input>& before;  // what is known already, from before the compiler ran
  bool with_times;                   // of all files too: an output holds them
  int64_t started_ns;                // the file clock before the compile
};

struct MeasuredInputs {
  std::vector<Input> inputs;  // in the order of a trace, without duplicates; not all of them when it is refused
  Refused refused;            // the first input that can not be trusted
};

MeasuredInputs measure_inputs(FileSystem& fs, Memo& memo, Verifier& verifier, const MeasureRequest& request);

}  // namespace kache
