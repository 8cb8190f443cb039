// Oracle: what a fresh compile says about a hit. For KACHE_CHECK_HITS, with which tests and doubters run the compiler on
// every hit as well and compare.
#pragma once

#include <string>
#include <vector>

#include "base/env.h"
#include "base/file_system.h"
#include "compiler/invocation.h"
#include "key/roots.h"
#include "store/entry.h"
#include "wrapper/process.h"

namespace kache {

bool checks_hits(const Env& env);

// The compiler has just made its outputs in their places: what of it differs from the entry. Names outputs, "stdout",
// "stderr" and "exit status"; empty where all is equal.
std::vector<std::string> compare_with_compile(FileSystem& fs, const Entry& entry, const ProcessResult& process,
                                              const Invocation& invocation, const std::string& cwd, const Roots& roots);

}  // namespace kache
