#include "cli/report.h"

#include <algorithm>

#include <nlohmann/json.hpp>

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
  if (event.trial) detail["trial"] = true;
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
                       {"fallbacks", sum.fallbacks}, {"failed_compiles", sum.errors},
                       {"failed_probes", sum.failed_trials}, {"faults", sum.faults}, {"total_duration_ms", sum.elapsed_ms},
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
    if (event.is_error()) {
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

}  // namespace

std::string report_json(const CommandContext& context, const ReportOptions& options, int64_t since_ns,
                        const std::vector<BuildEvent>& events) {
  return make_json(context, options, since_ns, events).dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace kache
