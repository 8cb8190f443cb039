// Which of the rules for extra inputs in a .kache.toml concern a unit.
#pragma once

#include <string>
#include <vector>

#include "compiler/invocation.h"
#include "config/config.h"

namespace kache {

// Patterns below config.extra_dir: of rules that name no crate, name this one, or (`propagate_to_dependents`) name one that it
// uses. None for a unit outside of that directory: a crate of a registry, say. Sorted, each once.
std::vector<std::string> extra_patterns(const CommandLine& line, const Invocation& invocation, const Config& config);

}  // namespace kache
