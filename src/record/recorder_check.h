// Does the recorder work with this compiler? One small compile under it answers.
//
// Needed because it can fail in ways that no look at the program tells: a static compiler, one with its own C library or
// system calls, a security policy. Where the answer is no, kache uses declared mode. The caller remembers the answer per
// toolchain; this is plain work over plain values.
#pragma once

#include <string>
#include <vector>

#include "base/env.h"
#include "base/result.h"

namespace kache {

struct SelfTest {
  enum Language : unsigned char { rust, c, archiver, ranlib } language;
  std::vector<std::string> program;  // the compiler as it is run: a path and perhaps leading arguments
  std::string library;               // libkache-record.so
  std::string scratch_dir;           // exists; left as it was found
  Env env;                           // that of the compile
  int timeout_ms = 30'000;
};

// True when every program that ran said hello and goodbye, and the source that the compiler was given is seen to be
// read. False when the compiler ran (or hung, or died) and that was not seen. An error when no answer could be had: the
// program is not there, the scratch directory can not be written, the library's path can not be preloaded.
Result<bool> recorder_works(const SelfTest& test);

}  // namespace kache
