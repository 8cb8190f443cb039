// Removes a build directory, and that one only.
#pragma once

#include "base/result.h"
#include "clean/build_dir.h"

namespace kache {

// `busy`: cargo is building in it. `invalid`: another directory bears its name by now. Whatever somebody else moves or links
// meanwhile, nothing outside of the directory is touched; what could not be removed stays, and the first reason is returned.
Status remove_build_dir(const BuildDir& dir);

}  // namespace kache
