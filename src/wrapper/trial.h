// A trial: a compile that is only made to see whether it can be made, by configure, CMake, meson, or by the build script of a
// crate. That one fails is an answer and no trouble of the build.
#pragma once

#include "base/env.h"
#include "compiler/invocation.h"

namespace kache {

bool is_trial(const Invocation& invocation, const Env& env);

}  // namespace kache
