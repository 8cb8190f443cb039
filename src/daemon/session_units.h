// From the events of a build to what another machine may fetch for it.
#pragma once

#include <vector>

#include "index/events.h"
#include "remote/session.h"

namespace kache {

// Units that have a result, each once, in the order in which they were asked for.
std::vector<SessionUnit> session_units(const std::vector<BuildEvent>& events);

}  // namespace kache
