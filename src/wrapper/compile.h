// The argv and environment of a real compile.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "compiler/invocation.h"
#include "config/config.h"
#include "key/roots.h"

namespace kache {

struct CompileCommand {
  std::vector<std::string> argv;
  Env env;
};

// The compilers decide about colours by asking whether stderr is a terminal, and they will see our pipe.
bool wants_color(const Invocation& invocation, const Env& env);

// As the user wrote it, marked so that a nested kache steps aside.
CompileCommand plain_command(const CommandLine& line);

// With remapped paths and without incremental state, so that the result is good for every checkout. `unsupported` when
// the arguments came in response files and can not be written inline.
Result<CompileCommand> shared_command(const CommandLine& line, const Invocation& invocation, const Roots& roots,
                                      const Config& config);

// Restored files that are one inode with the store must not be written into: they are unlinked before a compiler runs.
void unlink_shared_outputs(FileSystem& fs, const Invocation& invocation, const std::string& cwd);

// What was written within this tick of the file clock could be written again without a trace, so nothing that is made of it is
// kept. A configure script compiles what it has just written: rather a tick of waiting than never a hit.
void let_named_files_settle(FileSystem& fs, Clock& clock, const CommandLine& line);

inline constexpr std::string_view kActiveVariable = "KACHE_ACTIVE";

}  // namespace kache
