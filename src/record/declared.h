// Declared mode: what a compile that nobody could watch says about its inputs itself, for compilers that do not load the
// recorder (a static one, one of another libc).
//
// Weaker than a record: rustc names its sources and the variables it asked for, but not what a proc macro reads behind its
// back. `extra_inputs` and `key_env_vars` are for those. What a linker reads is never named, so units that link are
// refused. Results of this mode have invocation keys of their own and never answer a compile that can be recorded.
#pragma once

#include "base/file_system.h"
#include "compiler/invocation.h"
#include "record/collect.h"

namespace kache {

// Why this unit can not be cached without a record; none: it can. Known before it is compiled.
// `knows_sysroot`: the identity of the toolchain covers more than the program that is started, which may choose among
// several compilers (a rustup proxy).
Refused check_declared(const CommandLine& line, const Invocation& invocation, bool knows_sysroot);

// After the compile. `started_ns` is the file clock before it: an input that is not older may have changed under it.
Observed declare_inputs(FileSystem& fs, const CommandLine& line, const Invocation& invocation, int64_t started_ns);

}  // namespace kache
