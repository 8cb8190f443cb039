#include <sys/statvfs.h>

#include <cstdio>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "index/events.h"
#include "store/durability.h"
#include "store/gc.h"

namespace kache {
namespace {

uint64_t free_bytes(const std::string& path) {
  struct statvfs info;
  if (::statvfs(path.c_str(), &info) != 0) return UINT64_MAX;
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

void write_stats(const CommandContext& context, const GcReport& report, int64_t started_ns) {
  nlohmann::ordered_json stats = {
      {"last_run", format_time(context.clock.wall_ns())},
      {"entries_evicted", report.evicted_by_age + report.evicted_by_size},
      {"bytes_freed", report.bytes_freed},
      {"blobs_removed", report.blobs_removed},
      {"duration_ms", (context.clock.wall_ns() - started_ns) / 1'000'000},
  };
  (void)replace_file(context.fs, context.layout.root() + "/gc_stats.json", stats.dump() + "\n", 0600);
}

}  // namespace

int run_gc(const CommandContext& context, const GcOptions& options) {
  GcLimits limits;
  limits.max_size = context.config.local_max_size;
  limits.min_free_space = context.config.min_free_space;
  limits.free_space = free_bytes(context.layout.root());
  limits.max_age_ns = static_cast<int64_t>(context.config.gc_max_age_hours) * 3600 * 1'000'000'000;
  if (!options.max_age.empty()) {
    Result<int64_t> age = parse_duration(options.max_age);
    if (!age.ok()) return fail("--max-age " + age.error().message), 2;
    limits.max_age_ns = *age;
  }
  int64_t started = context.clock.wall_ns();
  GcReport report = collect_garbage(context.fs, context.clock, context.layout, limits);
  // What was published until now needs no reading after a crash. Nothing waits for this, and nothing depends on it.
  if (!report.busy && context.fs.stat(context.layout.locks()).ok()) {
    (void)sync_store(context.fs, context.clock, context.layout, read_boot_id(context.fs));
  }
  if (options.background) return 0;
  if (report.busy) {
    std::puts("Another GC is already running; skipping.");
    return 0;
  }
  write_stats(context, report, started);
  std::printf("GC complete: age %llu, size %llu, broken %llu; %llu blobs removed (%s freed).\n",
              static_cast<unsigned long long>(report.evicted_by_age),
              static_cast<unsigned long long>(report.evicted_by_size),
              static_cast<unsigned long long>(report.broken), static_cast<unsigned long long>(report.blobs_removed),
              human_size(report.bytes_freed).c_str());
  std::printf("Store: %s (%llu entries)\n", human_size(report.size).c_str(),
              static_cast<unsigned long long>(report.entries));
  return 0;
}

int run_purge(const CommandContext& context, const std::string& crate) {
  uint64_t removed = purge_entries(context.fs, context.layout, [&](const StoredEntry& stored) {
    return crate.empty() || stored.entry.crate_name == crate;
  });
  GcLimits limits;
  // Everything goes at once; after the entries of one crate the usual grace protects what others are publishing.
  if (crate.empty()) limits.grace_ns = 0;
  GcReport report = collect_garbage(context.fs, context.clock, context.layout, limits);
  if (crate.empty()) std::puts("Cleared entire local store.");
  else std::printf("Removed %llu entries for '%s'.\n", static_cast<unsigned long long>(removed), crate.c_str());
  if (report.busy) std::puts("A garbage collection is running; it removes the files.");
  return 0;
}

}  // namespace kache
