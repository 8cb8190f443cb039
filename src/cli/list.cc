#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/json.h"
#include "index/events.h"
#include "index/store_index.h"

namespace kache {
namespace {

std::string date(int64_t ns) { return format_time(ns).substr(0, 10); }

std::string date_and_time(int64_t ns) {
  std::string text = format_time(ns).substr(0, 19);
  text[10] = ' ';
  return text;
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

struct SortRow {
  const char* name;
  ListOrder order;
};
constexpr SortRow kSorts[] = {
    {"name", ListOrder::name}, {"size", ListOrder::size}, {"hits", ListOrder::hits}, {"age", ListOrder::age}};

StoreIndex::Hits count_hits(const CommandContext& context) {
  StoreIndex::Hits hits;
  Result<std::vector<BuildEvent>> events = read_events(context.fs, context.layout.events(), 0);
  if (!events.ok()) return hits;
  for (const BuildEvent& event : *events) {
    Digest key;
    if (event.is_hit() && Digest::parse_hex(event.cache_key, key)) hits.emplace_back(key, 1);
  }
  return hits;
}

// The index knows when an entry was last used as of the last collection; the file knows it now.
int64_t last_used(const CommandContext& context, const IndexedEntry& entry) {
  Result<FileStat> stat = context.fs.lstat(context.layout.entry(entry.key));
  return stat.ok() ? stat->mtime_ns : entry.last_used_ns;
}

void print_row(const CommandContext& context, const IndexedEntry& entry) {
  std::printf("%-30s %-10s %-8s %10s %6llu %12s %12s\n", or_dash(entry.crate_name).c_str(),
              or_dash(entry.crate_types).c_str(), or_dash(entry.profile).c_str(), human_size(entry.blob_bytes).c_str(),
              static_cast<unsigned long long>(entry.hits), date(entry.created_ns).c_str(),
              date(last_used(context, entry)).c_str());
}

void print_files(const CommandContext& context, const IndexedEntry& row) {
  Result<std::string> bytes = read_file(context.fs, context.layout.entry(row.key), kMaxEntrySize);
  Result<Entry> entry = bytes.ok() ? decode_entry(*bytes, row.key) : Result<Entry>(bytes.error());
  if (!entry.ok()) return;  // evicted meanwhile
  std::puts("  Files:");
  for (const Output& output : entry->outputs) {
    if (output.content == OutputContent::text) std::printf("    %s (rendered)\n", output.name.c_str());
    else std::printf("    %s (%s)\n", output.name.c_str(), human_size(output.size).c_str());
  }
}

void print_details(const CommandContext& context, const IndexedEntry& entry) {
  std::printf("Cache key: %s\n  Unit:     %s\n", entry.key.hex().substr(0, 16).c_str(), entry.crate_name.c_str());
  if (!entry.crate_types.empty()) std::printf("  Type:     %s\n", entry.crate_types.c_str());
  if (!entry.profile.empty()) std::printf("  Profile:  %s\n", entry.profile.c_str());
  std::printf("  Size:     %s\n  Hits:     %llu\n", human_size(entry.blob_bytes).c_str(),
              static_cast<unsigned long long>(entry.hits));
  std::printf("  Compile:  %s\n", human_ms(entry.compile_ms).c_str());
  std::printf("  Created:  %s\n  Accessed: %s\n", date_and_time(entry.created_ns).c_str(),
              date_and_time(last_used(context, entry)).c_str());
  if (!entry.target.empty()) std::printf("  Target:   %s\n", entry.target.c_str());
  print_files(context, entry);
}

nlohmann::ordered_json json_of(const CommandContext& context, const IndexedEntry& entry) {
  return {{"cache_key", entry.key.hex()}, {"unit", entry.crate_name}, {"crate_types", entry.crate_types}, {"profile", entry.profile},
          {"target", entry.target}, {"size", entry.blob_bytes}, {"hits", entry.hits}, {"compile_time_ms", entry.compile_ms},
          {"created", rfc3339(entry.created_ns)}, {"accessed", rfc3339(last_used(context, entry))}};
}

}  // namespace

std::vector<std::string> list_orders() {
  std::vector<std::string> names;
  for (const SortRow& row : kSorts) names.emplace_back(row.name);
  return names;
}

int run_list(const CommandContext& context, const ListOptions& options) {
  auto sort = std::find_if(std::begin(kSorts), std::end(kSorts),
                           [&](const SortRow& row) { return options.sort == row.name; });

  Pace pace;
  StoreIndex index = StoreIndex::open(context.fs, context.clock, context.layout);
  Status done = index.refresh(RefreshDepth::members, pace);
  if (!done.ok()) return fail(done.error().message);
  uint64_t count = 0;
  bool in_detail = !options.crate.empty();
  nlohmann::ordered_json entries = nlohmann::ordered_json::array();
  auto show = [&](const IndexedEntry& entry) {
    if (options.json) {
      count++;
      return entries.push_back(json_of(context, entry));
    }
    if (count++ == 0 && !in_detail) {
      std::printf("%-30s %-10s %-8s %10s %6s %12s %12s\n", "Unit", "Type", "Profile", "Size", "Hits", "Created", "Accessed");
      std::puts(std::string(92, '-').c_str());
    }
    if (!in_detail) return print_row(context, entry);
    if (count > 1) std::puts("");
    print_details(context, entry);
  };
  StoreIndex::Hits hits = count_hits(context);
  for (const std::string& name : unit_names(options.crate)) {
    if (count == 0 && done.ok()) done = index.each_entry(name, sort->order, hits, show);
  }
  if (!done.ok()) return fail(done.error().message);
  if (options.json) {
    std::puts(to_text({{"schema_version", 1}, {"command", "list"}, {"entries", std::move(entries)}}).c_str());
    return 0;
  }
  if (count == 0) {
    std::puts(in_detail ? ("No cached entries for '" + options.crate + "'.").c_str() : "No cached entries.");
  } else if (!in_detail) {
    std::printf("\n%llu entries\n", static_cast<unsigned long long>(count));
  }
  return 0;
}

}  // namespace kache
