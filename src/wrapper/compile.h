// The argv and environment of a real compile.
#pragma once

#include <string>
#include <vector>

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

inline constexpr std::string_view kActiveVariable = "KACHE_ACTIVE";

}  // namespace kache
