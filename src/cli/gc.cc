#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "index/collect.h"
#include "index/events.h"
#include "store/durability.h"

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
      {"bytes_linked", report.bytes_linked},
      {"blobs_removed", report.blobs_removed},
      {"duration_ms", (context.clock.wall_ns() - started_ns) / 1'000'000},
  };
  (void)replace_file(context.fs, context.layout.root() + "/gc_stats.json", stats.dump() + "\n", 0600);
}

unsigned long long number(uint64_t n) { return n; }

void print_report(const GcReport& report) {
  std::printf("GC complete: age %llu, size %llu, broken %llu; %llu blobs removed (%s freed).\n",
              number(report.evicted_by_age), number(report.evicted_by_size), number(report.broken),
              number(report.blobs_removed), human_size(report.bytes_freed).c_str());
  if (report.bytes_linked > 0) {
    std::printf("Another %s comes back when the target directories that share it are deleted.\n",
                human_size(report.bytes_linked).c_str());
  }
  std::printf("Store: %s (%llu entries)\n", human_size(report.size).c_str(), number(report.entries));
}

// Half of one processor at most, and that only when nobody else wants it.
constexpr int64_t kWorkNs = 50'000'000, kRestNs = 50'000'000;
void give_way() {
  constexpr int kWhoProcess = 1, kIdleClass = 3, kClassShift = 13;  // linux/ioprio.h has no libc header
  (void)!::nice(19);
  (void)::syscall(SYS_ioprio_set, kWhoProcess, 0, kIdleClass << kClassShift);
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
  Pace pace;
  if (options.background) {
    give_way();
    pace = Pace(context.clock, kWorkNs, kRestNs);
  }
  int64_t started = context.clock.wall_ns();
  StoreIndex index = StoreIndex::open(context.fs, context.clock, context.layout);
  Result<GcReport> report = collect_garbage(context.fs, context.clock, context.layout, index, limits, pace);
  if (!report.ok()) return fail(report.error().message);
  if (report->busy) {
    if (!options.background) std::puts("Another GC is already running; skipping.");
    return 0;
  }
  if (context.fs.stat(context.layout.locks()).ok()) {
    // What was published until now needs no reading after a crash. Nothing waits for this, and nothing depends on it.
    (void)sync_store(context.fs, context.clock, context.layout, read_boot_id(context.fs));
    write_stats(context, *report, started);
  }
  if (!options.background) print_report(*report);
  return 0;
}

namespace {

struct Doomed {
  std::string unit;  // as entries call it
  uint64_t entries = 0, bytes = 0;
};

// The first of the names that the unit may go by under which there is something.
Result<Doomed> find_doomed(StoreIndex& index, const std::string& given) {
  if (given.empty()) {
    StoreTotals totals = index.totals();
    return Doomed{"", totals.entries, totals.entry_bytes + totals.blob_bytes};
  }
  Doomed doomed{given};
  for (const std::string& name : unit_names(given)) {
    KACHE_TRY(index.each_entry(name, ListOrder::name, {}, [&](const IndexedEntry& entry) {
      doomed.entries++;
      doomed.bytes += entry.blob_bytes;
    }));
    doomed.unit = name;
    if (doomed.entries > 0) return doomed;
  }
  return Doomed{given};
}

}  // namespace

int run_purge(const CommandContext& context, const PurgeOptions& options) {
  Pace pace;
  StoreIndex index = StoreIndex::open(context.fs, context.clock, context.layout);
  Status fresh = index.refresh(RefreshDepth::members, pace);
  if (!fresh.ok()) return fail(fresh.error().message);
  Result<Doomed> doomed = find_doomed(index, options.unit);
  if (!doomed.ok()) return fail(doomed.error().message);
  std::string whose = options.unit.empty() ? "the whole store: " : "'" + doomed->unit + "': ";
  std::string what = whose + std::to_string(doomed->entries) + (doomed->entries == 1 ? " entry" : " entries") + " (" + human_size(doomed->bytes) + ")";
  if (options.dry_run) return std::printf("Would remove %s.\n", what.c_str()), 0;
  if (!options.yes) {
    if (!::isatty(0)) return fail("purge would remove " + what + "; say --yes, or --dry-run to only look"), 2;
    if (!ask("Remove " + what + "?", false)) return fail("nothing was removed");
  }
  Result<uint64_t> removed = purge_entries(context.fs, context.layout, index, doomed->unit, pace);
  if (!removed.ok()) return fail(removed.error().message);
  GcLimits limits;
  // Everything goes at once; after the entries of one crate the usual grace protects what others are publishing.
  if (options.unit.empty()) limits.grace_ns = 0;
  Result<GcReport> report = collect_garbage(context.fs, context.clock, context.layout, index, limits, pace);
  if (!report.ok()) return fail(report.error().message);
  if (options.unit.empty()) std::puts("Cleared entire local store.");
  else std::printf("Removed %llu entries for '%s'.\n", number(*removed), doomed->unit.c_str());
  if (report->busy) std::puts("A garbage collection is running; it removes the files.");
  return 0;
}

}  // namespace kache
