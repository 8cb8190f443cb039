#include <algorithm>

#include "cli/report.h"
#include "index/causes.h"

namespace kache {
namespace {

// The last few, each once.
std::string failed_names(const std::vector<BuildEvent>& events) {
  constexpr size_t kMost = 3;
  std::vector<std::string> names;
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    if (!event->is_error() || std::find(names.begin(), names.end(), event->crate_name) != names.end()) continue;
    names.push_back(names.size() == kMost ? "..." : event->crate_name);
    if (names.size() > kMost) break;
  }
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// An empty line before a heading is the caller's; names are anybody's.
void line(std::string& out, const std::string& text) {
  bool is_heading = text.starts_with('\n');
  out += (is_heading ? "\n" : "") + printable(text.substr(is_heading)) + "\n";
}

// "avg 3.0ms (key 1.0ms + lookup 1.0ms + restore 1.0ms), 36ms in all"
std::string phases_text(const PhaseTimes& times) {
  struct Phase {
    const char* name;
    uint64_t us;
  };
  std::string parts;
  for (const Phase& phase : {Phase{"key", times.key}, Phase{"lookup", times.lookup}, Phase{"restore", times.restore},
                             Phase{"compile", times.compile}, Phase{"store", times.store}}) {
    if (phase.us > 0) parts += (parts.empty() ? "" : " + ") + std::string(phase.name) + " " + human_us(phase.us / times.units);
  }
  return "avg " + human_us(times.total() / times.units) + (parts.empty() ? "" : " (" + parts + ")") + ", " + human_us(times.total()) +
         " in all";
}

std::string way_text(const TransferSums::OneWay& way) {
  return human_size(way.bytes) + " in " + std::to_string(way.ok) + (way.failed ? ", " + std::to_string(way.failed) + " failed" : "");
}

void add_timing(std::string& out, const Summary& sum) {
  if (sum.hit_phases.units + sum.miss_phases.units == 0) return;
  line(out, "\nTiming:");
  if (sum.hit_phases.units) line(out, "  Hits: " + phases_text(sum.hit_phases));
  if (sum.miss_phases.units) line(out, "  Misses: " + phases_text(sum.miss_phases));
}

void add_transfers(std::string& out, const TransferSums& sums) {
  if (sums.is_empty()) return;
  line(out, "\nRemote transfer:");
  line(out, "  Downloaded: " + way_text(sums.down));
  line(out, "  Uploaded: " + way_text(sums.up));
  if (sums.down.ok == 0) return;
  line(out, "  Latency: avg " + human_ms(sums.down.elapsed_ms / sums.down.ok) + ", p95 " + human_ms(sums.p95_download_ms) + ", max " +
                human_ms(sums.max_download_ms));
  if (sums.down.elapsed_ms) line(out, "  Throughput: " + human_size(sums.down.bytes * 1000 / sums.down.elapsed_ms) + "/s of one download");
}

}  // namespace

std::string report_text(const ReportInput& input) {
  const std::vector<BuildEvent>& events = input.chosen.events;
  const Summary& sum = input.sum;
  std::string out;
  line(out, "kache build report (" + input.chosen.label + ")");
  line(out, "  " + percent(sum.hits(), sum.total()) + "% hit rate - " + std::to_string(sum.hits()) + "/" +
                std::to_string(sum.total()) + " cacheable units cached, " + std::to_string(sum.compiled()) +
                " compiled");
  if (sum.dups) line(out, "  Dups: " + std::to_string(sum.dups) + " compiled by another process meanwhile");
  uint64_t known = sum.saved_ms + sum.spent_ms;
  if (known) line(out, "  " + percent(sum.saved_ms, known) + "% by compile cost");
  line(out, "  Compile work avoided: " + human_ms(sum.saved_ms) + " aggregate");
  if (sum.hits()) {
    line(out, "  Cache hit overhead: " + human_ms(sum.hit_elapsed_ms) + " aggregate, avg " +
                  human_ms(sum.hit_elapsed_ms / sum.hits()) + "/hit");
  }
  line(out, "  Miss compile work: " + human_ms(sum.spent_ms) + " aggregate");
  if (sum.store_failures) {
    line(out, "  Compiled but not cached: " + std::to_string(sum.store_failures) + " (will miss again next build)");
  }
  if (sum.errors)
    line(out,
         "  Failed compiles: " + std::to_string(sum.errors) + " (the compiler said no: " + failed_names(events) + ")");
  if (sum.failed_trials) {
    line(out, "  Failed probes: " + std::to_string(sum.failed_trials) +
                  " (configure or a build script tried something out)");
  }
  if (sum.faults)
    line(out, "  Faults of kache: " + std::to_string(sum.faults) + " (results that could not be stored or used)");
  line(out, "  Passthroughs/skipped: " + std::to_string(sum.passthroughs) + " passthroughs (" +
                std::to_string(sum.fallbacks) + " via fallback) / " + std::to_string(sum.skipped) + " skipped / " +
                std::to_string(sum.probes) + " probes");
  if (sum.restored_bytes()) {
    line(out, "  Restored: " + human_size(sum.restored_bytes()) + " (" +
                  percent(sum.restored_bytes() - sum.copied_bytes, sum.restored_bytes()) + "% without a copy)");
  }
  if (sum.stored_bytes) {
    line(out, "  Stored: " + human_size(sum.stored_bytes) + ", of which " + human_size(sum.new_bytes()) + " were new");
  }
  add_timing(out, sum);
  add_transfers(out, summarise(input.transfers));
  if (sum.prefetch_hits) {
    line(out, "\nPrefetch: " + std::to_string(sum.prefetch_hits) + " / " + std::to_string(sum.hits()) + " hits (" +
                  percent(sum.prefetch_hits, sum.hits()) + "%)");
  }
  std::vector<CauseCost> causes = causes_of(events);
  if (!causes.empty()) line(out, "\nWhat misses cost:");
  for (size_t i = 0; i < causes.size() && i < input.options.top; ++i) {
    const CauseCost& cost = causes[i];
    line(out, "  " + human_ms(cost.ms) + " - " + cost.cause.why +
                  (cost.cause.what.empty() ? "" : ": " + cost.cause.what) + " (" + std::to_string(cost.count) +
                  (cost.count == 1 ? " unit)" : " units)"));
  }
  std::vector<Reason> reasons = bypass_reasons(events);
  if (!reasons.empty()) line(out, "\nNot cached:");
  for (const Reason& reason : reasons) {
    line(out, "  " + std::to_string(reason.count) + "x " + reason.text.substr(reason.text.find('|') + 1) +
                  (reason.failures ? " (" + std::to_string(reason.failures) + " failed)" : ""));
  }
  std::vector<BuildEvent> misses = dearest(events, input.options.top, false);
  if (!misses.empty()) line(out, "\nMost expensive misses:");
  for (const BuildEvent& event : misses) {
    std::string why = !event.store_error.empty()          ? "  [not cached: " + event.store_error + "]"
                      : !event.passthrough_reason.empty() ? "  [not cached: " + event.passthrough_reason + "]"
                      : !event.miss_reasons.empty()       ? "  [" + event.miss_reasons.front() + "]"
                                                          : "";
    line(out,
         "  " + event.crate_name + " - " + human_ms(event.compile_time_ms) + " (" + human_size(event.size) + ")" + why);
  }
  std::vector<BuildEvent> hits = dearest(events, input.options.top, true);
  if (!hits.empty()) line(out, "\nMost valuable hits:");
  for (const BuildEvent& event : hits) {
    line(out, "  " + event.crate_name + " - " + human_ms(event.compile_time_ms) + " avoided (" +
                  human_size(event.size) + ")");
  }
  std::vector<std::string> advice = suggestions(events, sum);
  if (!advice.empty()) line(out, "\nSuggestions:");
  for (const std::string& text : advice) line(out, "  - " + text);
  return out;
}

}  // namespace kache
