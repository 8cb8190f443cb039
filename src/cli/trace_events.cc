#include "cli/trace_events.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/json.h"
#include "cli/report.h"

namespace kache {
namespace {

using json = nlohmann::ordered_json;

struct Look {
  const char *result, *label, *colour;
};
constexpr Look kLooks[] = {
    {"passthrough", "passthrough", "grey"}, {"local_hit", "hit", "good"},   {"prefetch_hit", "hit", "good"},
    {"remote_hit", "hit", "good"},          {"miss", "miss", "bad"},        {"dup", "dup", "olive"},
    {"error", "error", "terrible"},         {"skipped", "skipped", "grey"},
};

const Look& look_of(const BuildEvent& event) {
  auto look =
      std::find_if(std::begin(kLooks), std::end(kLooks), [&](const Look& row) { return event.result == row.result; });
  return look == std::end(kLooks) ? kLooks[0] : *look;
}

int64_t start_us(const BuildEvent& event) { return event.start_ns() / 1'000'000 * 1000; }
int64_t end_us(const BuildEvent& event) { return event.end_ns / 1'000'000 * 1000; }

json unit_slice(const Slot& slot) {
  const BuildEvent& event = *slot.event;
  const Look& look = look_of(event);
  json args = {{"crate_name", event.crate_name},
               {"root", event.root},
               {"result", event.result},
               {"route", route(event)},
               {"reason", event.passthrough_reason},
               {"cache_key", event.cache_key},
               {"elapsed_ms", event.elapsed_ms},
               {"compile_time_ms", event.compile_time_ms},
               {"overhead_ms", overhead_ms(event)},
               {"size", event.size},
               {"compiler_runs", event.compiler_runs},
               {"preprocessor_runs", event.preprocessor_runs},
               {"probe_runs", event.probe_runs},
               {"store_output_blobs", event.store_output_blobs},
               {"store_duplicate_blobs", event.store_duplicate_blobs},
               {"store_new_blobs", event.store_new_blobs},
               {"exit_code", event.exit_code}};
  if (!event.miss_reasons.empty()) args["miss_reason"] = event.miss_reasons;
  return {{"name", std::string(look.label) + ": " + event.crate_name},
          {"cat", "kache"},
          {"ph", "X"},
          {"ts", start_us(event)},
          {"dur", end_us(event) - start_us(event)},
          {"pid", 1},
          {"tid", slot.lane},
          {"cname", look.colour},
          {"args", std::move(args)}};
}

// In their order. A hit carries the time that its compile once took: that is none of its phases.
void add_phases(const Slot& slot, json& out) {
  const BuildEvent& event = *slot.event;
  struct Phase {
    const char* name;
    uint64_t us;
  };
  const Phase phases[] = {{"key", event.key_us},
                          {"lookup", event.lookup_us},
                          {"compile", event.is_hit() ? 0 : event.compile_time_ms * 1000},
                          {"restore", event.restore_us},
                          {"store", event.store_us}};
  int64_t at = start_us(event), end = end_us(event);
  for (const Phase& phase : phases) {
    // A line may say anything, and the whole was rounded down.
    int64_t length = std::min(static_cast<int64_t>(std::min<uint64_t>(phase.us, 1'000'000'000'000)), end - at);
    if (length <= 0) continue;
    out.push_back({{"name", phase.name},
                   {"cat", "kache"},
                   {"ph", "X"},
                   {"ts", at},
                   {"dur", length},
                   {"pid", 1},
                   {"tid", slot.lane},
                   {"args", {{"crate_name", event.crate_name}}}});
    at += length;
  }
}

json name_event(const char* kind, size_t lane, const std::string& name) {
  return {{"name", kind}, {"ph", "M"}, {"pid", 1}, {"tid", lane}, {"args", {{"name", name}}}};
}

}  // namespace

json trace_events(const std::vector<BuildEvent>& events, TraceDepth depth) {
  std::vector<Slot> slots = lanes_of(events);
  json out = json::array();
  if (depth == TraceDepth::phases) {
    size_t lanes = 0;
    for (const Slot& slot : slots) lanes = std::max(lanes, slot.lane + 1);
    out.push_back(name_event("process_name", 0, "kache"));
    for (size_t lane = 0; lane < lanes; ++lane)
      out.push_back(name_event("thread_name", lane, "worker " + std::to_string(lane)));
  }
  for (const Slot& slot : slots) {
    out.push_back(unit_slice(slot));
    if (depth == TraceDepth::phases) add_phases(slot, out);
  }
  return out;
}

std::string report_trace(const ReportInput& input) {
  return to_text({{"displayTimeUnit", "ms"}, {"traceEvents", trace_events(input.chosen.events, TraceDepth::phases)}}) +
         "\n";
}

}  // namespace kache
