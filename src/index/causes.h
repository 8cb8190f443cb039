// Why units were not served, in words that many of them share, and what that cost.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "index/events.h"

namespace kache {

struct Cause {
  std::string why;   // "file changed", "not cacheable", …
  std::string what;  // which file, variable or reason; "" where there is nothing to name
  std::string fix;   // what would help; "" where nothing is wrong
};

// Of an event that is no hit and no probe.
Cause cause_of(const BuildEvent& event);

struct CauseCost {
  Cause cause;
  uint64_t count = 0, ms = 0;
  std::vector<std::string> units;  // each once, in order of first appearance
};

// One for each file, variable and reason; the dearest first.
std::vector<CauseCost> causes_of(const std::vector<BuildEvent>& events);

// What a miss cost: the compiler's time, or all of it where that is not known.
uint64_t cost_ms(const BuildEvent& event);

// All reasons of one event in one line: "file src/a.h, variable CFLAGS".
std::string why_of(const BuildEvent& event);

}  // namespace kache
