#include <algorithm>
#include <cstdio>
#include <map>

#include <nlohmann/json.hpp>

#include "base/path.h"
#include "cli/command.h"
#include "index/events.h"
#include "index/summary.h"

namespace kache {
namespace {

using json = nlohmann::ordered_json;

double rate(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>((part * 1000 + whole / 2) / whole) / 10.0;
}

double average(uint64_t sum, uint64_t count) {
  return count == 0 ? 0.0 : static_cast<double>((sum * 10 + count / 2) / count) / 10.0;
}

int64_t start_ms(const BuildEvent& event) { return event.end_ns / 1'000'000 - static_cast<int64_t>(event.elapsed_ms); }

std::string rfc3339(int64_t ms) {
  std::string text = format_time(ms * 1'000'000);
  return text.substr(0, text.size() - 1) + "+00:00";
}

uint64_t overhead_ms(const BuildEvent& event) {
  if (event.is_hit()) return event.elapsed_ms;
  return event.elapsed_ms > event.compile_time_ms ? event.elapsed_ms - event.compile_time_ms : 0;
}

std::string route(const BuildEvent& event) {
  if (event.result == "skipped") return "skipped";
  if (event.result != "passthrough") return "n/a";
  return event.fallback ? "fallback" : "direct";
}

json crate_detail(const BuildEvent& event) {
  json detail = {{"crate_name", event.crate_name}};
  if (!event.root.empty()) detail["root"] = event.root;
  detail["result"] = event.result;
  detail["start_time"] = rfc3339(start_ms(event));
  detail["end_time"] = rfc3339(event.end_ns / 1'000'000);
  detail["start_unix_ms"] = start_ms(event);
  detail["end_unix_ms"] = event.end_ns / 1'000'000;
  detail["elapsed_ms"] = event.elapsed_ms;
  detail["compile_time_ms"] = event.compile_time_ms;
  detail["overhead_ms"] = overhead_ms(event);
  detail["size"] = event.size;
  detail["cache_key"] = event.cache_key;
  detail["store_output_blobs"] = event.store_output_blobs;
  detail["store_duplicate_blobs"] = event.store_duplicate_blobs;
  detail["store_new_blobs"] = event.store_new_blobs;
  detail["compiler_runs"] = event.compiler_runs;
  detail["preprocessor_runs"] = event.preprocessor_runs;
  detail["probe_runs"] = event.probe_runs;
  if (!event.store_error.empty()) detail["store_error"] = event.store_error;
  if (!event.miss_reasons.empty()) detail["miss_reason"] = event.miss_reasons;
  return detail;
}

json trace_events(const std::vector<BuildEvent>& events) {
  struct Look {
    const char *result, *label, *colour;
  };
  static constexpr Look kLooks[] = {{"local_hit", "hit", "good"},       {"miss", "miss", "bad"},
                                    {"dup", "dup", "olive"},            {"passthrough", "passthrough", "grey"},
                                    {"error", "error", "terrible"},     {"skipped", "skipped", "grey"}};
  std::vector<const BuildEvent*> order;
  for (const BuildEvent& event : events) order.push_back(&event);
  std::sort(order.begin(), order.end(),
            [](const BuildEvent* a, const BuildEvent* b) { return start_ms(*a) < start_ms(*b); });
  std::vector<int64_t> lanes;  // when each is free again
  json out = json::array();
  for (const BuildEvent* event : order) {
    const Look* look = &kLooks[3];
    for (const Look& row : kLooks) {
      if (event->result == row.result) look = &row;
    }
    size_t lane = 0;
    while (lane < lanes.size() && lanes[lane] > start_ms(*event)) ++lane;
    if (lane == lanes.size()) lanes.push_back(0);
    lanes[lane] = event->end_ns / 1'000'000;
    out.push_back({{"name", std::string(look->label) + ": " + event->crate_name},
                   {"cat", "kache"},
                   {"ph", "X"},
                   {"ts", start_ms(*event) * 1000},
                   {"dur", event->elapsed_ms * 1000},
                   {"pid", 1},
                   {"tid", lane},
                   {"cname", look->colour},
                   {"args",
                    {{"crate_name", event->crate_name}, {"root", event->root}, {"result", event->result},
                     {"route", route(*event)}, {"reason", event->passthrough_reason},
                     {"cache_key", event->cache_key}, {"elapsed_ms", event->elapsed_ms},
                     {"compile_time_ms", event->compile_time_ms}, {"overhead_ms", overhead_ms(*event)},
                     {"size", event->size}, {"compiler_runs", event->compiler_runs},
                     {"preprocessor_runs", event->preprocessor_runs}, {"probe_runs", event->probe_runs}, {"store_output_blobs", event->store_output_blobs},
                     {"store_duplicate_blobs", event->store_duplicate_blobs},
                     {"store_new_blobs", event->store_new_blobs}, {"exit_code", event->exit_code}}}});
  }
  return out;
}

struct Reason {
  std::string result, route, text;
  uint64_t count = 0, failures = 0, longest_ms = 0;
};

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

// A passthrough becomes the compiler, so nobody is left to tell how it ended.
json bypass_detail(const BuildEvent& event) {
  json detail = {{"crate_name", event.crate_name}};
  if (!event.root.empty()) detail["root"] = event.root;
  detail.update({{"result", event.result}, {"route", route(event)}, {"reason", event.passthrough_reason},
                 {"start_time", rfc3339(start_ms(event))}, {"end_time", rfc3339(event.end_ns / 1'000'000)},
                 {"start_unix_ms", start_ms(event)}, {"end_unix_ms", event.end_ns / 1'000'000},
                 {"elapsed_ms", event.elapsed_ms}, {"exit_code", nullptr}, {"timestamp", event.ts}});
  return detail;
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
  if (sum.total() == 0) out.push_back("nothing was recorded in this window; is RUSTC_WRAPPER set? See `kache doctor`");
  if (sum.misses > 3 && sum.spent_ms > 4 * sum.saved_ms) {
    out.push_back("most of the compile time was spent on misses; `kache why-miss <crate>` names what changed");
  }
  return out;
}

json make_json(const CommandContext& context, const ReportOptions& options, int64_t since_ns,
               const std::vector<BuildEvent>& events) {
  Summary sum = summarise(events);
  json report = {{"schema_version", 1}};
  report["meta"] = {{"kache_version", KACHE_VERSION},
                    {"generated_at", rfc3339(context.clock.wall_ns() / 1'000'000)},
                    {"since_hours", since_ns / 3'600'000'000'000}};
  if (!options.root.empty()) report["meta"]["root_filter"] = options.root;
  uint64_t known = sum.saved_ms + sum.spent_ms;
  report["summary"] = {{"hit_rate_pct", rate(sum.hits(), sum.total())},
                       {"weighted_hit_rate_pct", known ? json(rate(sum.saved_ms, known)) : json(nullptr)},
                       {"time_saved_ms", sum.saved_ms}, {"total_crates", sum.total()},
                       {"local_hits", sum.local_hits}, {"prefetch_hits", sum.prefetch_hits},
                       {"remote_hits", sum.remote_hits}, {"dups", sum.dups}, {"misses", sum.misses},
                       {"errors", sum.errors}, {"passthroughs", sum.passthroughs}, {"probes", sum.probes},
                       {"skipped", sum.skipped}, {"store_failures", sum.store_failures},
                       {"fallbacks", sum.fallbacks}, {"total_duration_ms", sum.elapsed_ms},
                       {"cache_efficiency_pct", rate(sum.saved_ms, known)}};
  json& timeline = report["timeline"];
  timeline = {{"start_time", nullptr}, {"end_time", nullptr}, {"start_unix_ms", nullptr}, {"end_unix_ms", nullptr},
              {"duration_ms", 0}};
  if (!events.empty()) {
    int64_t first = INT64_MAX, last = 0;
    for (const BuildEvent& event : events) {
      first = std::min(first, start_ms(event));
      last = std::max(last, event.end_ns / 1'000'000);
    }
    timeline = {{"start_time", rfc3339(first)}, {"end_time", rfc3339(last)}, {"start_unix_ms", first},
                {"end_unix_ms", last}, {"duration_ms", last - first}};
  }
  timeline["event_count"] = events.size();
  timeline["cacheable_count"] = sum.total();
  timeline["hit_count"] = sum.hits();
  timeline["compiled_count"] = sum.compiled();
  timeline["passthrough_count"] = sum.passthroughs;
  timeline["probe_count"] = sum.probes;
  timeline["skipped_count"] = sum.skipped;
  timeline["error_count"] = sum.errors;
  report["timing"] = {{"hit_time_ms", sum.hit_elapsed_ms}, {"miss_time_ms", sum.miss_elapsed_ms},
                      {"avg_hit_ms", average(sum.hit_elapsed_ms, sum.hits())},
                      {"avg_miss_ms", average(sum.miss_elapsed_ms, sum.compiled())},
                      {"avg_hit_overhead_ms", average(sum.hit_elapsed_ms, sum.hits())},
                      {"miss_compile_time_ms", sum.spent_ms}, {"avg_key_ms", average(sum.key_ms, sum.total())},
                      {"avg_lookup_ms", average(sum.lookup_ms, sum.total())},
                      {"avg_restore_ms", average(sum.restore_ms, sum.hits())},
                      {"avg_store_ms", average(sum.store_ms, sum.compiled())}, {"total_key_ms", sum.key_ms},
                      {"total_lookup_ms", sum.lookup_ms}, {"total_restore_ms", sum.restore_ms},
                      {"total_store_ms", sum.store_ms}};
  report["storage"] = {{"reflinked_bytes", sum.reflinked_bytes}, {"hardlinked_bytes", sum.hardlinked_bytes},
                       {"copied_bytes", sum.copied_bytes}, {"restored_bytes", sum.restored_bytes()},
                       {"zero_copy_pct", rate(sum.restored_bytes() - sum.copied_bytes, sum.restored_bytes())},
                       {"store_reflinked_bytes", sum.store_reflinked_bytes},
                       {"store_hardlinked_bytes", sum.store_hardlinked_bytes},
                       {"store_copied_bytes", sum.store_copied_bytes}, {"store_blobs", sum.stored_blobs},
                       {"logical_bytes", sum.stored_bytes}, {"blob_bytes", sum.new_bytes()},
                       {"dedup_saved_bytes", sum.stored_bytes - std::min(sum.stored_bytes, sum.new_bytes())}};
  report["network"] = nullptr;
  report["prefetch"] = {{"prefetch_hits", sum.prefetch_hits}, {"total_hits", sum.hits()},
                        {"contribution_pct", rate(sum.prefetch_hits, sum.hits())}};
  for (bool hits : {false, true}) {
    json& list = report[hits ? "top_hits" : "top_misses"] = json::array();
    for (const BuildEvent& event : dearest(events, options.top, hits)) list.push_back(crate_detail(event));
  }
  report["all_events"] = json::array();
  report["errors_detail"] = json::array();
  for (const BuildEvent& event : events) {
    if (event.result != "passthrough" && event.result != "skipped") report["all_events"].push_back(crate_detail(event));
    if (event.result == "error") {
      report["errors_detail"].push_back(
          {{"crate_name", event.crate_name}, {"cache_key", event.cache_key}, {"timestamp", event.ts}});
    }
  }
  report["traceEvents"] = trace_events(events);
  report["displayTimeUnit"] = "ms";
  json& bypass = report["bypass"];
  bypass = {{"passthroughs", sum.passthroughs}, {"probes", sum.probes}, {"skipped", sum.skipped},
            {"fallbacks", sum.fallbacks}, {"direct_passthroughs", sum.passthroughs - sum.fallbacks},
            {"reasons", json::array()}, {"slowest", json::array()}};
  for (const Reason& reason : bypass_reasons(events)) {
    bypass["reasons"].push_back({{"result", reason.result}, {"route", reason.route}, {"reason", reason.text},
                                 {"count", reason.count}, {"failures", reason.failures},
                                 {"max_elapsed_ms", reason.longest_ms}});
  }
  for (const BuildEvent* event : slowest_bypassed(events, options.top)) bypass["slowest"].push_back(bypass_detail(*event));
  report["suggestions"] = suggestions(events, sum);
  return report;
}

void line(std::string& out, const std::string& text) { out += text + "\n"; }

std::string make_text(const ReportOptions& options, const std::vector<BuildEvent>& events) {
  Summary sum = summarise(events);
  std::string out;
  line(out, "kache build report (last " + options.since + ")");
  line(out, "  " + percent(sum.hits(), sum.total()) + "% hit rate - " + std::to_string(sum.hits()) + "/" +
                std::to_string(sum.total()) + " cacheable crates cached, " + std::to_string(sum.compiled()) + " compiled");
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
  if (sum.errors) line(out, "  Errors: " + std::to_string(sum.errors) + " (compiles that failed)");
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

int run_report(const CommandContext& context, const ReportOptions& options) {
  bool as_json = options.format == "json";
  if (!as_json && options.format != "text") return fail("--format " + options.format + ": choose text or json"), 2;
  Result<int64_t> span = parse_duration(options.since);
  if (!span.ok()) return fail("--since " + span.error().message), 2;
  Result<std::vector<BuildEvent>> events =
      read_events(context.fs, context.layout.events(), context.clock.wall_ns() - *span);
  if (!events.ok()) return fail(events.error().message);
  if (!options.root.empty()) {
    std::string root = absolute_path(context.cwd, options.root);
    std::erase_if(*events, [&](const BuildEvent& event) { return !is_below(event.root, root); });
  }
  std::string text = as_json ? make_json(context, options, *span, *events).dump(2, ' ', false,
                                                                               json::error_handler_t::replace) + "\n"
                             : make_text(options, *events);
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
