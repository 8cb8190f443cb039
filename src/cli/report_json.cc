#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/json.h"
#include "cli/report.h"
#include "cli/trace_events.h"
#include "index/causes.h"

namespace kache {
namespace {

using json = nlohmann::ordered_json;

double average(uint64_t sum, uint64_t count) {
  return count == 0 ? 0.0 : static_cast<double>((sum * 10 + count / 2) / count) / 10.0;
}

int64_t start_ms(const BuildEvent& event) { return event.start_ns() / 1'000'000; }

json crate_detail(const BuildEvent& event) {
  json detail = {{"crate_name", event.crate_name}};
  if (!event.root.empty()) detail["root"] = event.root;
  detail["result"] = event.result;
  detail["start_time"] = rfc3339(event.start_ns());
  detail["end_time"] = rfc3339(event.end_ns);
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
  if (!event.session_id.empty()) detail["session_id"] = event.session_id;
  return detail;
}

// A passthrough becomes the compiler, so nobody is left to tell how it ended.
json bypass_detail(const BuildEvent& event) {
  json detail = {{"crate_name", event.crate_name}};
  if (!event.root.empty()) detail["root"] = event.root;
  detail.update({{"result", event.result},
                 {"route", route(event)},
                 {"reason", event.passthrough_reason},
                 {"start_time", rfc3339(event.start_ns())},
                 {"end_time", rfc3339(event.end_ns)},
                 {"start_unix_ms", start_ms(event)},
                 {"end_unix_ms", event.end_ns / 1'000'000},
                 {"elapsed_ms", event.elapsed_ms},
                 {"exit_code", nullptr},
                 {"timestamp", event.ts}});
  return detail;
}

// Of `kache gc`, where one ran in the window.
std::optional<json> last_collection(const ReportInput& input) {
  Result<std::string> bytes = read_file(input.context.fs, input.context.layout.root() + "/gc_stats.json", 1 << 20);
  if (!bytes.ok()) return std::nullopt;
  json stats = json::parse(*bytes, nullptr, false);
  if (!stats.is_object() || !stats.contains("last_run") || !stats["last_run"].is_string()) return std::nullopt;
  int64_t ran_ns = parse_time(stats["last_run"].get<std::string>());
  if (ran_ns < input.context.clock.wall_ns() - input.chosen.span_ns) return std::nullopt;
  return json{{"last_run", stats["last_run"]},
              {"entries_evicted", stats.value("entries_evicted", json(0))},
              {"bytes_freed", stats.value("bytes_freed", json(0))},
              {"blobs_removed", stats.value("blobs_removed", json(0))}};
}

json phases_json(const PhaseTimes& times) {
  return {{"units", times.units},     {"key", times.key},         {"lookup", times.lookup},
          {"restore", times.restore}, {"compile", times.compile}, {"store", times.store}};
}

// Null where nothing was moved.
json network_json(const std::vector<Transfer>& transfers, size_t top) {
  TransferSums sums = summarise(transfers);
  if (sums.is_empty()) return nullptr;
  uint64_t bits = sums.down.bytes * 8;
  json network = {{"bytes_up", sums.up.bytes}, {"bytes_down", sums.down.bytes}, {"uploads_ok", sums.up.ok},
                  {"uploads_failed", sums.up.failed}, {"downloads_ok", sums.down.ok},
                  {"downloads_failed", sums.down.failed},
                  {"avg_download_ms", average(sums.down.elapsed_ms, sums.down.ok)},
                  {"p95_download_ms", sums.p95_download_ms}, {"max_download_ms", sums.max_download_ms},
                  {"throughput_mbps", average(bits / 1000, sums.down.elapsed_ms)},
                  {"slowest_downloads", json::array()}};
  std::vector<const Transfer*> downloads;
  for (const Transfer& one : transfers) {
    if (one.direction != "upload") downloads.push_back(&one);
  }
  std::stable_sort(downloads.begin(), downloads.end(), [](auto* a, auto* b) { return a->elapsed_ms > b->elapsed_ms; });
  if (downloads.size() > top) downloads.resize(top);
  for (const Transfer* one : downloads) {
    network["slowest_downloads"].push_back({{"crate_name", one->crate_name}, {"direction", one->direction},
                                            {"compressed_bytes", one->compressed_bytes},
                                            {"elapsed_ms", one->elapsed_ms}, {"ok", one->ok}});
  }
  return network;
}

json make_json(const ReportInput& input) {
  const std::vector<BuildEvent>& events = input.chosen.events;
  const ReportOptions& options = input.options;
  const Summary& sum = input.sum;
  json report = {{"schema_version", 1}};
  report["meta"] = {{"kache_version", KACHE_VERSION},
                    {"generated_at", rfc3339(input.context.clock.wall_ns())},
                    {"since_hours", input.chosen.span_ns / 3'600'000'000'000}};
  if (input.chosen.build) report["meta"]["build"] = build_json(*input.chosen.build, input.chosen.number);
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
    timeline = {{"start_time", rfc3339(first * 1'000'000)},
                {"end_time", rfc3339(last * 1'000'000)},
                {"start_unix_ms", first},
                {"end_unix_ms", last},
                {"duration_ms", last - first}};
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
  report["timing"]["hit_phases_us"] = phases_json(sum.hit_phases);
  report["timing"]["miss_phases_us"] = phases_json(sum.miss_phases);
  report["network"] = network_json(input.transfers, options.top);
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
  report["traceEvents"] = trace_events(events, TraceDepth::units);
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
  report["causes"] = json::array();
  for (const CauseCost& cost : causes_of(events)) {
    report["causes"].push_back({{"why", cost.cause.why},
                                {"what", cost.cause.what},
                                {"fix", cost.cause.fix},
                                {"count", cost.count},
                                {"compile_ms", cost.ms},
                                {"crates", cost.units}});
  }
  if (std::optional<json> gc = last_collection(input)) report["gc"] = std::move(*gc);
  return report;
}

}  // namespace

std::string report_json(const ReportInput& input) { return to_text(make_json(input)) + "\n"; }

}  // namespace kache
