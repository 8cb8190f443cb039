// What a report is made of, shared by its forms.
#pragma once

#include <string>
#include <vector>

#include "cli/choice.h"
#include "index/transfers.h"

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

// Which event ran beside which: the lane is the lowest that was free. In order of their beginnings.
struct Slot {
  const BuildEvent* event;
  size_t lane;
};
std::vector<Slot> lanes_of(const std::vector<BuildEvent>& events);

// What an event took beside the compiler's own work.
uint64_t overhead_ms(const BuildEvent& event);

// No path but for its last component, and no value of a variable.
void redact(const CommandContext& context, ReportOptions& options, ChosenEvents& chosen);

struct ReportInput {
  const CommandContext& context;
  const ReportOptions& options;
  const ChosenEvents& chosen;
  Summary sum;
  std::vector<Transfer> transfers;  // in the window; they know neither build nor tree
};

// The whole report in one form, with a newline at its end.
std::string report_text(const ReportInput& input);
std::string report_json(const ReportInput& input);
std::string report_markdown(const ReportInput& input);
std::string report_github(const ReportInput& input);
std::string report_trace(const ReportInput& input);
std::string report_html(const ReportInput& input);

}  // namespace kache
