// Identify: which compiler an invocation runs, for its key.
#pragma once

#include <functional>
#include <string>
#include <unordered_set>

#include "base/clock.h"
#include "compiler/invocation.h"
#include "key/invocation_key.h"
#include "store/layout.h"
#include "store/memo.h"

namespace kache {

struct IdentifiedCompiler {
  Program program;  // behind a workspace wrapper: the content is of both
  std::string path; // absolute, "" where it was not found
  bool knows_sysroot = false;
  std::unordered_set<std::string> files;  // that its identity covers, real paths
};

// `before_reading`: store/toolchain.h
Result<IdentifiedCompiler> identify_compiler(FileSystem& fs, Clock& clock, Memo& memo, const StoreLayout& layout, const CommandLine& line,
                                             const Invocation& invocation, const std::function<void()>& before_reading = {});

}  // namespace kache
