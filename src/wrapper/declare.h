// Declared mode of the C family: what a compiler that can not be recorded says itself, as parts of the key.
//
// The preprocessed text stands for all that the preprocessor read. What makes an object of it are the programs behind the
// driver, which the driver names when it is asked (-###): their content is in the key like that of the driver.
#pragma once

#include <string>
#include <vector>

#include "compiler/invocation.h"
#include "config/config.h"
#include "key/invocation_key.h"
#include "store/verify.h"
#include "wrapper/process.h"

namespace kache {

struct CcDeclaration {
  Refused refused;
  std::vector<KeyPart> parts;
  std::string preprocessed;
  uint32_t preprocessor_runs = 0, questions = 0;  // processes
};

struct DeclareRequest {
  const CommandLine& line;
  const Invocation& invocation;
  const Config& config;
};

CcDeclaration declare_cc(FileSystem& fs, ProcessRunner& processes, Verifier& verifier, const DeclareRequest& request);

}  // namespace kache
