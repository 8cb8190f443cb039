// Declared mode, the fallback for compilers that nobody can watch, from the point of view of one invocation: before the compile
// what the compiler says itself becomes a part of the key, and afterwards that is its inputs.
//
// Of the C family the preprocessed text stands for all that the preprocessor read. What makes an object of it are the programs
// behind the driver, which the driver names when it is asked (-###): their content is in the key like that of the driver.
// record/declared.h and record/cc_declared.h know what the compilers say. Not for use from several threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "compiler/invocation.h"
#include "compiler/refusal.h"
#include "config/config.h"
#include "key/invocation_key.h"
#include "record/collect.h"
#include "store/verify.h"
#include "wrapper/process.h"

namespace kache {

class DeclaredMode {
 public:
  // All of it outlives the object.
  DeclaredMode(FileSystem& fs, const CommandLine& line, const Invocation& invocation, const Config& config)
      : fs_(fs), line_(line), invocation_(invocation), config_(config) {}

  // Adds to the parts of the key, for the C family by asking the driver and running the preprocessor; or why that is not enough
  // for a result that can be stored. `knows_sysroot`: see check_declared.
  Refused declare(ProcessRunner& processes, Clock& clock, Verifier& verifier, bool knows_sysroot, std::vector<KeyPart>& parts);

  // REQUIRES: it was declared. `compile_started_ns`: the file clock before the compile.
  Observed inputs(int64_t compile_started_ns) const;

  // Processes that it took.
  uint32_t preprocessor_runs() const { return preprocessor_runs_; }
  uint32_t questions() const { return questions_; }

 private:
  Refused add_programs(ProcessRunner& processes, Verifier& verifier, std::vector<KeyPart>& parts);
  Refused add_preprocessed(ProcessRunner& processes, std::vector<KeyPart>& parts);

  FileSystem& fs_;
  const CommandLine& line_;
  const Invocation& invocation_;
  const Config& config_;
  std::string preprocessed_;  // of the C family
  uint32_t preprocessor_runs_ = 0, questions_ = 0;
  int64_t since_ns_ = 0;      // the file clock before the preprocessor ran
};

}  // namespace kache
