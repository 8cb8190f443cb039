// `kache purge`: everything, or one unit.
#include <unistd.h>

#include <cstdio>

#include <nlohmann/json.hpp>

#include "cli/gc_report.h"
#include "cli/json.h"

namespace kache {
namespace {

// What would go, decided by the run that would do it.
struct Plan {
  std::string unit;  // as entries call it
  GcReport report;
  std::vector<Evicted> evicted;
};

GcLimits limits_of(const std::string& unit, std::vector<Evicted>& evicted) {
  GcLimits limits;
  limits.purge = unit;
  // Everything goes at once; after the entries of one crate the usual grace protects what others are publishing.
  if (unit.empty()) limits.grace_ns = 0;
  limits.on_evict = [&evicted](const Evicted& entry) { evicted.push_back(entry); };
  return limits;
}

Result<Plan> plan_for(const CommandContext& context, const std::string& unit) {
  Plan plan{unit, {}, {}};
  GcLimits limits = limits_of(unit, plan.evicted);
  limits.is_dry_run = true;
  Pace pace;
  StoreIndex scratch = StoreIndex::open_scratch(context.fs, context.clock, context.layout);
  plan.report = KACHE_TRY(collect_garbage(context.fs, context.clock, context.layout, scratch, limits, pace));
  return plan;
}

// For the first of the names that the unit may go by under which there is something.
Result<Plan> plan_purge(const CommandContext& context, const std::string& given) {
  if (given.empty()) return plan_for(context, given);
  for (const std::string& name : unit_names(given)) {
    Plan plan = KACHE_TRY(plan_for(context, name));
    if (plan.report.purged > 0) return plan;
  }
  return Plan{given, {}, {}};
}

std::string describe(const Plan& plan) {
  uint64_t bytes = 0;
  for (const Evicted& entry : plan.evicted) bytes += entry.reason == GcReason::purge ? entry.bytes : 0;
  uint64_t entries = plan.report.purged;
  return (plan.unit.empty() ? "the whole store: " : "'" + printable(plan.unit) + "': ") + std::to_string(entries) +
         (entries == 1 ? " entry" : " entries") + " (" + human_size(bytes) + ")";
}

void print_json(const Plan& plan, bool is_dry) {
  GcLimits limits;
  limits.is_dry_run = is_dry;
  nlohmann::ordered_json out = gc_json("purge", limits, plan.report, plan.evicted);
  out["crate_name"] = plan.unit.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(plan.unit);
  std::puts(to_text(out).c_str());
}

}  // namespace

int run_purge(const CommandContext& context, const PurgeOptions& options) {
  bool is_plain = options.yes && options.unit.empty() && !options.dry_run;
  Result<Plan> plan = is_plain ? Plan() : plan_purge(context, options.unit);
  if (!plan.ok()) return fail(plan.error().message);
  std::string what = describe(*plan);
  if (options.dry_run) {
    if (options.json) return print_json(*plan, true), 0;
    std::printf("Would remove %s; %s would come back.\n", what.c_str(), human_size(plan->report.bytes_freed).c_str());
    print_later(plan->report);
    return 0;
  }
  if (!options.yes) {
    if (options.json || !::isatty(0)) return fail("purge would remove " + what + "; say --yes, or --dry-run to only look"), 2;
    if (!ask("Remove " + what + "?", false)) return fail("nothing was removed");
  }
  plan->evicted.clear();
  Pace pace;
  StoreIndex index = StoreIndex::open(context.fs, context.clock, context.layout);
  Result<GcReport> report =
      collect_garbage(context.fs, context.clock, context.layout, index, limits_of(plan->unit, plan->evicted), pace);
  if (!report.ok()) return fail(report.error().message);
  plan->report = *report;
  if (options.json) return print_json(*plan, false), 0;
  if (options.unit.empty()) std::puts("Cleared entire local store.");
  else
    std::printf("Removed %llu entries for '%s'.\n", static_cast<unsigned long long>(report->purged),
                printable(plan->unit).c_str());
  if (report->busy) std::puts("A garbage collection is running; it removes the files.");
  return 0;
}

}  // namespace kache
