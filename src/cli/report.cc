#include "cli/report.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "base/path.h"

namespace kache {

std::string route(const BuildEvent& event) {
  if (event.result == "skipped") return "skipped";
  if (event.result != "passthrough") return "n/a";
  return event.fallback ? "fallback" : "direct";
}

std::vector<Reason> bypass_reasons(const std::vector<BuildEvent>& events) {
  std::map<std::string, Reason> reasons;
  for (const BuildEvent& event : events) {
    if (event.passthrough_reason.empty()) continue;
    std::string text = event.passthrough_reason;
    Reason& reason = reasons[event.result + route(event) + text.substr(0, text.find(": "))];
    reason.result = event.result;
    reason.route = route(event);
    reason.text = text.substr(0, text.find(": "));
    reason.count++;
    reason.failures += event.exit_code != 0;
    reason.longest_ms = std::max(reason.longest_ms, event.elapsed_ms);
  }
  std::vector<Reason> list;
  for (auto& [key, reason] : reasons) list.push_back(std::move(reason));
  std::sort(list.begin(), list.end(), [](const Reason& a, const Reason& b) { return a.count > b.count; });
  return list;
}

std::vector<const BuildEvent*> slowest_bypassed(const std::vector<BuildEvent>& events, size_t top) {
  std::vector<const BuildEvent*> picked;
  for (const BuildEvent& event : events) {
    if (!event.is_probe() && (event.result == "passthrough" || event.result == "skipped")) picked.push_back(&event);
  }
  std::stable_sort(picked.begin(), picked.end(),
                   [](const BuildEvent* a, const BuildEvent* b) { return a->elapsed_ms > b->elapsed_ms; });
  if (picked.size() > top) picked.resize(top);
  return picked;
}

std::vector<BuildEvent> dearest(const std::vector<BuildEvent>& events, size_t top, bool hits) {
  std::vector<BuildEvent> picked;
  for (const BuildEvent& event : events) {
    if (!event.is_probe() && (hits ? event.is_hit() : event.is_compiled())) picked.push_back(event);
  }
  std::stable_sort(picked.begin(), picked.end(), [](const BuildEvent& a, const BuildEvent& b) {
    return a.compile_time_ms > b.compile_time_ms;
  });
  if (picked.size() > top) picked.resize(top);
  return picked;
}

std::vector<std::string> suggestions(const std::vector<BuildEvent>& events, const Summary& sum) {
  std::vector<std::string> out;
  auto failed = std::find_if(events.begin(), events.end(),
                             [](const BuildEvent& event) { return !event.store_error.empty(); });
  if (failed != events.end()) {
    out.push_back(failed->crate_name + " was compiled and could not be stored: " + failed->store_error);
  }
  if (sum.total() == 0) out.push_back("nothing was recorded in this window; does the build go through kache? See `kache doctor`");
  if (sum.misses > 3 && sum.spent_ms > 4 * sum.saved_ms) {
    out.push_back("most of the compile time was spent on misses; `kache why-miss NAME` (a crate, or a source file of C) names what changed");
  }
  return out;
}

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

void line(std::string& out, const std::string& text) { out += text + "\n"; }

std::string make_text(const ReportOptions& options, const std::vector<BuildEvent>& events) {
  Summary sum = summarise(events);
  std::string out;
  line(out, "kache build report (last " + options.since + ")");
  line(out, "  " + percent(sum.hits(), sum.total()) + "% hit rate - " + std::to_string(sum.hits()) + "/" +
                std::to_string(sum.total()) + " cacheable units cached, " + std::to_string(sum.compiled()) + " compiled");
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
  if (sum.errors) line(out, "  Failed compiles: " + std::to_string(sum.errors) + " (the compiler said no: " + failed_names(events) + ")");
  if (sum.failed_trials) {
    line(out, "  Failed probes: " + std::to_string(sum.failed_trials) + " (configure or a build script tried something out)");
  }
  if (sum.faults) line(out, "  Faults of kache: " + std::to_string(sum.faults) + " (results that could not be stored or used)");
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
  std::vector<Reason> reasons = bypass_reasons(events);
  if (!reasons.empty()) line(out, "\nNot cached:");
  for (const Reason& reason : reasons) {
    line(out, "  " + std::to_string(reason.count) + "x " + reason.text.substr(reason.text.find('|') + 1) +
                  (reason.failures ? " (" + std::to_string(reason.failures) + " failed)" : ""));
  }
  std::vector<BuildEvent> misses = dearest(events, options.top, false);
  if (!misses.empty()) line(out, "\nMost expensive misses:");
  for (const BuildEvent& event : misses) {
    std::string why = !event.store_error.empty()          ? "  [not cached: " + event.store_error + "]"
                      : !event.passthrough_reason.empty() ? "  [not cached: " + event.passthrough_reason + "]"
                      : !event.miss_reasons.empty()       ? "  [" + event.miss_reasons.front() + "]"
                                                          : "";
    line(out, "  " + event.crate_name + " - " + human_ms(event.compile_time_ms) + " (" + human_size(event.size) + ")" + why);
  }
  std::vector<BuildEvent> hits = dearest(events, options.top, true);
  if (!hits.empty()) line(out, "\nMost valuable hits:");
  for (const BuildEvent& event : hits) {
    line(out, "  " + event.crate_name + " - " + human_ms(event.compile_time_ms) + " avoided (" + human_size(event.size) + ")");
  }
  std::vector<std::string> advice = suggestions(events, sum);
  if (!advice.empty()) line(out, "\nSuggestions:");
  for (const std::string& text : advice) line(out, "  - " + text);
  return out;
}

}  // namespace

std::vector<std::string> report_formats() { return {"text", "json"}; }

int run_report(const CommandContext& context, const ReportOptions& options) {
  bool as_json = options.format == "json";
  Result<int64_t> span = parse_duration(options.since);
  if (!span.ok()) return fail("--since " + span.error().message), 2;
  Result<std::vector<BuildEvent>> events =
      read_events(context.fs, context.layout.events(), context.clock.wall_ns() - *span);
  if (!events.ok()) return fail(events.error().message);
  if (!options.root.empty()) {
    std::string root = absolute_path(context.cwd, options.root);
    std::erase_if(*events, [&](const BuildEvent& event) { return !is_below(event.root, root); });
  }
  std::string text = as_json ? report_json(context, options, *span, *events) : make_text(options, *events);
  if (options.output.empty()) {
    std::fputs(text.c_str(), stdout);
    return 0;
  }
  Status written = replace_file(context.fs, absolute_path(context.cwd, options.output), text, 0666);
  if (!written.ok()) return fail(written.error().message);
  std::fprintf(stderr, "Report written to %s\n", options.output.c_str());
  return 0;
}

}  // namespace kache
