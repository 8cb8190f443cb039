#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include <nlohmann/json.hpp>

#include "cli/gc_report.h"
#include "cli/json.h"
#include "index/events.h"
#include "key/schema.h"
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
      {"entries_evicted", report.evicted_by_age + report.evicted_by_size + report.stale_schema},
      {"bytes_freed", report.bytes_freed},
      {"bytes_linked", report.bytes_linked},
      {"blobs_removed", report.blobs_removed},
      {"duration_ms", (context.clock.wall_ns() - started_ns) / 1'000'000},
  };
  (void)replace_file(context.fs, context.layout.root() + "/gc_stats.json", stats.dump() + "\n", 0600);
}

unsigned long long number(uint64_t n) { return n; }

void print_conclusion(const GcLimits& limits, const GcReport& report) {
  const char* freed = limits.is_dry_run ? "would be freed" : "freed";
  const char* removed = limits.is_dry_run ? "blobs would go" : "blobs removed";
  if (limits.only_stale_schema) {
    std::printf("Stale-schema GC: %llu entries; %llu %s (%s %s).\nCurrent key schema: %llu.\n",
                number(report.stale_schema), number(report.blobs_removed), removed,
                human_size(report.bytes_freed).c_str(), freed, number(kKeySchema));
  } else {
    std::printf("%s: age %llu, size %llu, broken %llu; %llu %s (%s %s).\n",
                limits.is_dry_run ? "Dry run" : "GC complete", number(report.evicted_by_age),
                number(report.evicted_by_size), number(report.broken), number(report.blobs_removed), removed,
                human_size(report.bytes_freed).c_str(), freed);
  }
  print_later(report);
  if (report.in_use > 0) {
    std::printf("That is not enough: %llu entries were used in the last two minutes and stay for now.\n", number(report.in_use));
  }
  std::printf("%s: %s (%llu entries)\n", limits.is_dry_run ? "Store then" : "Store", human_size(report.size).c_str(),
              number(report.entries));
}

// What the rows call age and size.
void print_reasons(const GcLimits& limits, const GcReport& report) {
  if (report.evicted_by_age > 0) {
    std::printf("age:  not used for %s\n", human_ms(static_cast<uint64_t>(limits.max_age_ns) / 1'000'000).c_str());
  }
  if (report.evicted_by_size == 0) return;
  if (limits.max_size != 0 && report.size_before > limits.max_size) {
    std::printf("size: the store has %s, and its limit is %s; it goes down to nine tenths of that\n",
                human_size(report.size_before).c_str(), human_size(limits.max_size).c_str());
  }
  if (limits.free_space < limits.min_free_space) {
    std::printf("size: the disk has %s left, and %s is to stay free\n", human_size(limits.free_space).c_str(),
                human_size(limits.min_free_space).c_str());
  }
}

void print_json(const GcLimits& limits, const GcReport& report, const std::vector<Evicted>& evicted) {
  nlohmann::ordered_json out = gc_json("gc", limits, report, evicted);
  out["reasons"] = {{"age", report.evicted_by_age},
                    {"size", report.evicted_by_size},
                    {"stale_schema", report.stale_schema},
                    {"broken", report.broken}};
  out["traces_removed"] = report.stale_traces;
  out["leftovers_removed"] = report.leftovers;
  out["in_use"] = report.in_use;
  out["key_schema"] = kKeySchema;
  out["store"] = {{"bytes_before", report.size_before},
                  {"bytes", report.size},
                  {"max_bytes", limits.max_size},
                  {"entries", report.entries}};
  std::puts(to_text(out).c_str());
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
  limits.only_stale_schema = options.stale_schema;
  limits.is_dry_run = options.dry_run;
  if (options.stale_schema && !options.max_age.empty())
    return fail("gc: --max-age and --stale-schema are two kinds of runs; give one of them"), 2;
  if (!options.max_age.empty()) {
    Result<int64_t> age = parse_duration(options.max_age);
    if (!age.ok()) return fail("--max-age " + age.error().message), 2;
    limits.max_age_ns = *age;
  }
  std::vector<Evicted> evicted;
  if (options.dry_run || options.json) limits.on_evict = [&](const Evicted& entry) { evicted.push_back(entry); };
  Pace pace;
  if (options.background) {
    give_way();
    pace = Pace(context.clock, kWorkNs, kRestNs);
  }
  int64_t started = context.clock.wall_ns();
  auto open = options.dry_run ? StoreIndex::open_scratch : StoreIndex::open;
  StoreIndex index = open(context.fs, context.clock, context.layout);
  Result<GcReport> report = collect_garbage(context.fs, context.clock, context.layout, index, limits, pace);
  if (!report.ok()) return fail(report.error().message);
  if (!report->busy && !options.dry_run && context.fs.stat(context.layout.locks()).ok()) {
    // What was published until now needs no reading after a crash. Nothing waits for this, and nothing depends on it.
    (void)sync_store(context.fs, context.clock, context.layout, read_boot_id(context.fs));
    write_stats(context, *report, started);
  }
  if (options.background) return 0;
  if (options.json) return print_json(limits, *report, evicted), 0;
  if (report->busy) return std::puts("Another GC is already running; skipping."), 0;
  if (options.dry_run) {
    if (evicted.empty() && report->in_use == 0)
      std::puts(options.stale_schema ? "Nothing is of another schema."
                                     : "No entry has to go: the store is within its limits.");
    print_evicted(evicted);
    print_reasons(limits, *report);
  }
  print_conclusion(limits, *report);
  return 0;
}

}  // namespace kache
