#include <algorithm>
#include <cstdio>
#include <map>

#include "cli/command.h"
#include "index/events.h"
#include "store/gc.h"

namespace kache {
namespace {

struct Row {
  StoredEntry stored;
  uint64_t hits = 0;
};

std::string date(int64_t ns) { return format_time(ns).substr(0, 10); }

std::string date_and_time(int64_t ns) {
  std::string text = format_time(ns).substr(0, 19);
  text[10] = ' ';
  return text;
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

struct SortRow {
  const char* name;
  bool (*before)(const Row&, const Row&);
};
constexpr SortRow kSorts[] = {
    {"name", [](const Row& a, const Row& b) { return a.stored.entry.crate_name < b.stored.entry.crate_name; }},
    {"size", [](const Row& a, const Row& b) { return a.stored.entry.blob_bytes() > b.stored.entry.blob_bytes(); }},
    {"hits", [](const Row& a, const Row& b) { return a.hits > b.hits; }},
    {"age", [](const Row& a, const Row& b) { return a.stored.entry.created_ns < b.stored.entry.created_ns; }},
};

void print_table(const std::vector<Row>& rows) {
  std::printf("%-30s %-10s %-8s %10s %6s %12s %12s\n", "Crate", "Type", "Profile", "Size", "Hits", "Created",
              "Accessed");
  std::puts(std::string(92, '-').c_str());
  for (const Row& row : rows) {
    const Entry& entry = row.stored.entry;
    std::printf("%-30s %-10s %-8s %10s %6llu %12s %12s\n", entry.crate_name.c_str(), or_dash(entry.crate_types).c_str(),
                or_dash(entry.profile).c_str(), human_size(entry.blob_bytes()).c_str(),
                static_cast<unsigned long long>(row.hits), date(entry.created_ns).c_str(),
                date(row.stored.last_used_ns).c_str());
  }
  std::printf("\n%zu entries\n", rows.size());
}

void print_details(const std::vector<Row>& rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const Entry& entry = rows[i].stored.entry;
    if (i > 0) std::puts("");
    std::printf("Cache key: %s\n  Crate:    %s\n", entry.key.hex().substr(0, 16).c_str(), entry.crate_name.c_str());
    if (!entry.crate_types.empty()) std::printf("  Type:     %s\n", entry.crate_types.c_str());
    if (!entry.profile.empty()) std::printf("  Profile:  %s\n", entry.profile.c_str());
    std::printf("  Size:     %s\n  Hits:     %llu\n", human_size(entry.blob_bytes()).c_str(),
                static_cast<unsigned long long>(rows[i].hits));
    std::printf("  Compile:  %s\n", human_ms(entry.compile_ms).c_str());
    std::printf("  Created:  %s\n  Accessed: %s\n", date_and_time(entry.created_ns).c_str(),
                date_and_time(rows[i].stored.last_used_ns).c_str());
    if (!entry.target.empty()) std::printf("  Target:   %s\n", entry.target.c_str());
    std::puts("  Files:");
    for (const Output& output : entry.outputs) {
      if (output.content == OutputContent::text) std::printf("    %s (rendered)\n", output.name.c_str());
      else std::printf("    %s (%s)\n", output.name.c_str(), human_size(output.size).c_str());
    }
  }
}

}  // namespace

int run_list(const CommandContext& context, const ListOptions& options) {
  auto sort = std::find_if(std::begin(kSorts), std::end(kSorts),
                           [&](const SortRow& row) { return options.sort == row.name; });
  if (sort == std::end(kSorts)) return fail("--sort " + options.sort + ": choose name, size, hits or age"), 2;

  std::map<std::string, uint64_t> hits;
  Result<std::vector<BuildEvent>> events = read_events(context.fs, context.layout.events(), 0);
  if (events.ok()) {
    for (const BuildEvent& event : *events) hits[event.cache_key] += event.is_hit();
  }
  std::vector<Row> rows;
  for (StoredEntry& stored : list_entries(context.fs, context.layout, nullptr)) {
    if (!options.crate.empty() && stored.entry.crate_name != options.crate) continue;
    uint64_t count = hits[stored.entry.key.hex()];
    rows.push_back({std::move(stored), count});
  }
  if (rows.empty()) {
    std::puts(options.crate.empty() ? "No cached entries." : ("No cached entries for '" + options.crate + "'.").c_str());
    return 0;
  }
  std::stable_sort(rows.begin(), rows.end(), sort->before);
  if (options.crate.empty()) print_table(rows);
  else print_details(rows);
  return 0;
}

}  // namespace kache
