// Events as slices of Chrome's trace format, which Perfetto reads too.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "index/events.h"

namespace kache {

// units: one slice for each event, as the JSON report has them. phases: also the names of the lanes, and what each
// event spent its time on as slices within its own.
enum class TraceDepth : uint8_t { units, phases };

nlohmann::ordered_json trace_events(const std::vector<BuildEvent>& events, TraceDepth depth);

}  // namespace kache
