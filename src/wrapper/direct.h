// Direct: the real compiler as if kache were not there, for what is not looked up at all.
#pragma once

#include "base/file_system.h"
#include "base/result.h"
#include "compiler/compilers.h"
#include "compiler/invocation.h"

namespace kache {

// Kinds that are run as they are, without any further look.
bool is_only_run(Recognised::Kind kind);

// What was restored earlier may be read-only and one inode with the store: a compiler refuses to write over that. Unlinks it.
void make_way(FileSystem& fs, const CommandLine& line, Recognised::Kind kind);

// Becomes the compiler. Returns only when that fails: the wait status to end with.
int run_directly(const CommandLine& line);

// Says why the compiler did not start. The wait status is what a shell has for it.
int could_not_start(const Error& error);

}  // namespace kache
