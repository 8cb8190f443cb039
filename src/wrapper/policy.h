// Policy: what the user does not want cached, asked before anything is looked up.
#pragma once

#include <string>
#include <vector>

#include "compiler/invocation.h"
#include "compiler/refusal.h"
#include "config/config.h"

namespace kache {

// The first rule that forbids it, or none.
Refused check_policy(const CommandLine& line, const Invocation& invocation, const Config& config);

}  // namespace kache
