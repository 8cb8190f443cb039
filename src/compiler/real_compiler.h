// Which program is meant when a compiler is named and kache itself may bear that name: as a shim in a directory on PATH, or
// because the `cc` crate took it for the compiler.
#pragma once

#include <string>
#include <vector>

#include "base/env.h"
#include "base/file_system.h"

namespace kache {

// The programs that kache has started by a name along PATH, for what they start: "/a/cc:/b/cc". A script called cc that runs
// `kache cc` means the next cc.
inline constexpr std::string_view kStartedVariable = "KACHE_STARTED";

// The first program called `name` along PATH that is not `self` (the same file, under whatever name or link) and was not
// started before; "" where there is none. `passed_over` tells whether one of these came before.
std::string find_behind_shims(FileSystem& fs, std::string_view name, const Env& env, const std::string& cwd,
                              const std::string& self, bool* passed_over = nullptr);

// `kache -E file.c`: the compiler that the `cc` crate would have run, from the variables that made it run kache, in its own
// order (CC_<target>, TARGET_CC, CC, HOST_CC, and the same for CXX): the word that follows kache there. `cc` where none tells.
std::string compiler_of_cc_crate(const Env& env, std::string_view self_name);

}  // namespace kache
