#include <cstdio>

#include <nlohmann/json.hpp>

#include "base/path.h"
#include "cli/choice.h"
#include "cli/json.h"
#include "cli/remote_state.h"
#include "index/events.h"
#include "index/store_index.h"
#include "index/summary.h"
#include "index/verified.h"

namespace kache {
namespace {

nlohmann::ordered_json json_of(const StoreTotals& store, uint64_t limit, const Summary& sum, const std::string& window) {
  uint64_t known = sum.saved_ms + sum.spent_ms;
  return {{"schema_version", 1},
          {"command", "stats"},
          {"store", {{"bytes", store.blob_bytes}, {"max_bytes", limit}, {"entries", store.entries}, {"blobs", store.blobs}, {"logical_bytes", store.logical_bytes}}},
          {"window", window},
          {"hit_rate_pct", rate(sum.hits(), sum.total())},
          {"weighted_hit_rate_pct", known ? nlohmann::ordered_json(rate(sum.saved_ms, known)) : nlohmann::ordered_json(nullptr)},
          {"local_hits", sum.local_hits}, {"prefetch_hits", sum.prefetch_hits}, {"remote_hits", sum.remote_hits}, {"dups", sum.dups},
          {"misses", sum.misses}, {"time_saved_ms", sum.saved_ms}, {"miss_time_ms", sum.miss_elapsed_ms}, {"total_duration_ms", sum.elapsed_ms},
          {"failed_compiles", sum.errors}, {"failed_probes", sum.failed_trials}, {"faults", sum.faults}, {"passthroughs", sum.passthroughs},
          {"skipped", sum.skipped}, {"probes", sum.probes}, {"store_failures", sum.store_failures}};
}

unsigned long long count_in(const nlohmann::ordered_json& status, const char* name) {
  auto field = status.find(name);
  return field != status.end() && field->is_number_unsigned() ? field->get<unsigned long long>() : 0;
}

// Where results are shared: with whom, and how that fares.
void print_sharing(const CommandContext& context) {
  std::printf("Remote:     %s\n", printable(remote_text(context)).c_str());
  if (!context.config.has_remote()) return;
  nlohmann::ordered_json status = daemon_status(context);
  if (status.is_null()) {
    std::puts("Daemon:     offline (a compile that needs it starts it)");
    return;
  }
  bool is_degraded = status.value("remote_degraded", false);
  std::printf("Daemon:     v%s, pid %llu\n", printable(status.value("version", "")).c_str(), count_in(status, "pid"));
  std::printf("Resilience: %llu remote round trips, %llu absent, %llu restores suppressed / %llu uploads deferred%s\n",
              count_in(status, "remote_requests"), count_in(status, "remote_checks_absent"), count_in(status, "downloads_suppressed"),
              count_in(status, "pending_uploads"), is_degraded ? " - DEGRADED" : "");
  if (!context.config.prefetch_enabled) return (void)std::puts("Prefetch:   disabled (what a compile asks for is fetched all the same)");
  const nlohmann::ordered_json prefetch = status.value("prefetch", nlohmann::ordered_json::object());
  std::printf("Prefetch:   %llu downloads (%s), %llu cancelled\n", count_in(prefetch, "downloads_completed"),
              human_size(count_in(prefetch, "bytes_downloaded")).c_str(), count_in(prefetch, "keys_cancelled"));
}

// What came of compiling again what remotes gave. Nothing is said where nothing was.
void print_verified(const std::map<Verdict, uint64_t>& verdicts) {
  std::string text;
  for (auto [verdict, count] : verdicts) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(verdict_name(verdict));
  if (!text.empty()) std::printf("Verified:   %s (remote results compiled again)\n", text.c_str());
}

}  // namespace

int run_stats(const CommandContext& context, const StatsOptions& options) {
  Result<ChosenEvents> chosen = choose_events(context, options);
  if (!chosen.ok()) return fail_choice(chosen.error());
  Summary summary = summarise(chosen->events);

  std::string root = options.root.empty() ? "" : absolute_path(context.cwd, options.root);
  std::map<Verdict, uint64_t> verdicts =
      count_verifications(context.fs, context.layout.events(), context.clock.wall_ns() - chosen->span_ns, root);

  Pace pace;
  StoreIndex index = StoreIndex::open(context.fs, context.clock, context.layout);
  Status refreshed = index.refresh(RefreshDepth::members, pace);
  if (!refreshed.ok()) return fail(refreshed.error().message);
  StoreTotals store = index.totals();
  auto number = [](uint64_t n) { return static_cast<unsigned long long>(n); };
  uint64_t limit = context.config.local_max_size;
  if (options.json) {
    nlohmann::ordered_json json = json_of(store, limit, summary, chosen->label);
    json["remote"] = remote_text(context);
    json["verified"] = nlohmann::ordered_json::object();
    for (auto [verdict, count] : verdicts) json["verified"][std::string(verdict_name(verdict))] = count;
    json["daemon"] = context.config.has_remote() ? daemon_status(context) : nlohmann::ordered_json(nullptr);
    std::puts(to_text(json).c_str());
    return 0;
  }
  std::printf("Store:      %s / %s (%llu entries, %s%%)\n", human_size(store.blob_bytes).c_str(), human_size(limit).c_str(),
              number(store.entries), percent(store.blob_bytes, limit).c_str());
  if (store.blobs > 0) {
    std::printf("Dedup:      %llu unique blobs, %s physical, %s%% savings\n", number(store.blobs),
                human_size(store.blob_bytes).c_str(), percent(store.logical_bytes - store.blob_bytes, store.logical_bytes).c_str());
  }
  std::printf("Hit rate:   %s%% (local: %llu, prefetch: %llu, remote: %llu, dup: %llu, miss: %llu)\n",
              percent(summary.hits(), summary.total()).c_str(), number(summary.local_hits),
              number(summary.prefetch_hits), number(summary.remote_hits), number(summary.dups),
              number(summary.misses));
  uint64_t known = summary.saved_ms + summary.spent_ms;
  if (known > 0) std::printf("Weighted:   %s%% by compile cost\n", percent(summary.saved_ms, known).c_str());
  if (summary.elapsed_ms > 0) {
    std::printf("Miss share: %s%% of wrapper time (%s)\n", percent(summary.miss_elapsed_ms, summary.elapsed_ms).c_str(),
                human_ms(summary.miss_elapsed_ms).c_str());
  }
  if (summary.total() > 0) {
    std::printf("Time saved: %s (compile work avoided, %s)\n", human_ms(summary.saved_ms).c_str(),
                chosen->label.c_str());
  } else {
    std::puts("Time saved: n/a");
  }
  print_sharing(context);
  print_verified(verdicts);
  std::printf("Others:     %llu failed compiles, %llu failed probes, %llu faults, %llu passthroughs, %llu skipped, %llu questions, "
              "%llu not stored\n",
              number(summary.errors), number(summary.failed_trials), number(summary.faults), number(summary.passthroughs),
              number(summary.skipped), number(summary.probes), number(summary.store_failures));
  return 0;
}

}  // namespace kache
