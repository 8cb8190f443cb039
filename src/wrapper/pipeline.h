// The pipeline: one invocation of a compiler from argv to exit status, as a list of named stages.
//
//   parse → policy → toolchain → invocation key → traces → entry → restore            (a hit ends here)
//         → claim → run the compiler under the recorder → collect → commit → report
//
// Whatever goes wrong on the way ends in running the real compiler.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "base/file_system.h"
#include "compiler/compilers.h"
#include "wrapper/process.h"

namespace kache {

struct World {
  FileSystem& fs;
  Clock& clock;
  ProcessRunner& processes;
  std::string libexec;  // where kache-tool and libkache-record.so are
};

// `line.argv` is what stands behind `kache`. Returns the wait status with which this process has to end.
int run_wrapper(World& world, const CommandLine& line, Recognised::Kind kind);

}  // namespace kache
