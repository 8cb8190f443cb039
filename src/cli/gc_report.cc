#include "cli/gc_report.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include <nlohmann/json.hpp>

#include "base/path.h"

namespace kache {
namespace {

constexpr size_t kMostRows = 20;

using json = nlohmann::ordered_json;

json row_of(const Evicted& entry) {
  json row = {{"cache_key", base_name(entry.path)}, {"unit", entry.unit}, {"reason", name_of(entry.reason)}, {"bytes", entry.bytes},
              {"last_used", format_time(entry.last_used_ns)}};
  if (entry.reason == GcReason::stale_schema && entry.schema != 0) row["key_schema"] = entry.schema;
  return row;
}

std::string counted(uint64_t n, const char* one, const char* many) { return std::to_string(n) + " " + (n == 1 ? one : many); }

}  // namespace

const char* name_of(GcReason reason) {
  switch (reason) {
    case GcReason::age: return "age";
    case GcReason::size: return "size";
    case GcReason::stale_schema: return "stale-schema";
    case GcReason::purge: return "purge";
    case GcReason::broken: return "broken";
  }
  return "";
}

std::vector<EvictedUnit> by_unit(const std::vector<Evicted>& evicted) {
  std::map<std::pair<std::string, GcReason>, EvictedUnit> sums;
  for (const Evicted& entry : evicted) {
    EvictedUnit& sum = sums[{entry.unit, entry.reason}];
    sum.reason = entry.reason;
    sum.unit = entry.unit;
    sum.entries++;
    sum.bytes += entry.bytes;
    sum.last_used_ns = std::max(sum.last_used_ns, entry.last_used_ns);
  }
  std::vector<EvictedUnit> rows;
  for (auto& [key, sum] : sums) rows.push_back(std::move(sum));
  std::stable_sort(rows.begin(), rows.end(), [](const EvictedUnit& a, const EvictedUnit& b) { return a.bytes > b.bytes; });
  return rows;
}

void print_evicted(const std::vector<Evicted>& evicted) {
  std::vector<EvictedUnit> rows = by_unit(evicted);
  if (rows.empty()) return;
  std::printf("%s  %s  %s  %s  %s\n", padded("Unit", 30).c_str(), padded("Entries", 7, true).c_str(),
              padded("Size", 10, true).c_str(), padded("Last used", 10).c_str(), "Why");
  for (size_t i = 0; i < std::min(rows.size(), kMostRows); ++i) {
    const EvictedUnit& row = rows[i];
    std::printf("%s  %s  %s  %s  %s\n", padded(row.unit.empty() ? "-" : printable(row.unit), 30).c_str(),
                padded(std::to_string(row.entries), 7, true).c_str(), padded(human_size(row.bytes), 10, true).c_str(),
                format_time(row.last_used_ns).substr(0, 10).c_str(), name_of(row.reason));
  }
  if (rows.size() > kMostRows)
    std::printf("... and %s (--json lists all)\n",
                counted(rows.size() - kMostRows, "other unit", "other units").c_str());
  std::puts("");
}

json gc_json(const std::string& command, const GcLimits& limits, const GcReport& report, const std::vector<Evicted>& evicted) {
  json rows = json::array();
  for (const Evicted& entry : evicted) rows.push_back(row_of(entry));
  return {{"schema_version", 1},
          {"command", command},
          {"dry_run", limits.is_dry_run},
          {"busy", report.busy},
          {"entries_evicted", evicted.size()},
          {"blobs_removed", report.blobs_removed},
          {"disk_bytes_reclaimed", report.bytes_freed},
          {"shared_bytes_retained", report.bytes_linked},
          {"young_bytes_retained", report.bytes_young},
          {"evicted", rows}};
}

void print_later(const GcReport& report) {
  if (report.bytes_young > 0) {
    std::printf("Another %s comes back with a run in an hour: what was just published stays for now.\n",
                human_size(report.bytes_young).c_str());
  }
  if (report.bytes_linked == 0) return;
  std::printf("Another %s comes back when the target directories that share it are deleted.\n",
              human_size(report.bytes_linked).c_str());
}

}  // namespace kache
