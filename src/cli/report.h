// What a report is made of, shared by its two forms.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "index/events.h"
#include "index/summary.h"

namespace kache {

// Why units were not cached, and how often.
struct Reason {
  std::string result, route, text;
  uint64_t count = 0, failures = 0, longest_ms = 0;
};
std::vector<Reason> bypass_reasons(const std::vector<BuildEvent>& events);

// How an event that was not cached was run: "direct", "fallback", "skipped", or "n/a".
std::string route(const BuildEvent& event);
std::vector<const BuildEvent*> slowest_bypassed(const std::vector<BuildEvent>& events, size_t top);
// The hits, or the compiles, that cost the compiler most.
std::vector<BuildEvent> dearest(const std::vector<BuildEvent>& events, size_t top, bool hits);
std::vector<std::string> suggestions(const std::vector<BuildEvent>& events, const Summary& sum);

// The whole report as one JSON document, with a newline.
std::string report_json(const CommandContext& context, const ReportOptions& options, int64_t since_ns,
                        const std::vector<BuildEvent>& events);

}  // namespace kache
