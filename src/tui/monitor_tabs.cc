#include "tui/monitor_tabs.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "tui/words.h"
#include "wrapper/progress.h"

namespace kache {
namespace {

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

bool listed_always(const MonitorData&, size_t) { return true; }
std::string no_sum(const MonitorData&) { return {}; }

// --- Build ---

struct Look {
  const char *result, *sign, *status, *action;
  Style style;
};
constexpr Look kLooks[] = {
    {"local_hit", "✓", "hit", "restored", Style::good},        {"prefetch_hit", "⇓", "prefetch", "restored", Style::good},
    {"remote_hit", "↓", "remote", "downloaded", Style::good},  {"dup", "=", "dup", "built + deduped", Style::accent},
    {"miss", "●", "miss", "built + cached", Style::warn},       {"passthrough", "→", "pass", "built (not cached)", Style::dim},
    {"skipped", "·", "skip", "", Style::dim},                   {"error", "!", "error", "", Style::bad},
};
const Look& look_of(const BuildEvent& event) {
  static constexpr Look kUnknown = {"", "?", "?", "", Style::plain};
  auto row = std::find_if(std::begin(kLooks), std::end(kLooks), [&](const Look& look) { return event.result == look.result; });
  return row == std::end(kLooks) ? kUnknown : *row;
}

const char* action_of(const BuildEvent& event, const Look& look) {
  if (event.is_failed_compile()) return event.trial ? "failed probe" : "failed";
  return event.is_compiled() && !event.store_error.empty() ? "built (not stored)" : look.action;
}

size_t count_events(const MonitorData& data) { return data.events.size(); }
BuildNumber build_of_event(const MonitorData& data, size_t i) { return data.events[i].build; }

std::string words_of_event(const MonitorData& data, size_t i) {
  const BuildEvent& event = data.events[i];
  const Look& look = look_of(event);
  return event.crate_name + " " + look.status + " " + action_of(event, look) + " " + event.root;
}

// By number of `orders`: newest, slowest, name, size.
bool is_event_before(const MonitorData& data, size_t order, size_t a, size_t b) {
  const BuildEvent &x = data.events[a], &y = data.events[b];
  if (order == 1 && x.elapsed_ms != y.elapsed_ms) return x.elapsed_ms > y.elapsed_ms;
  if (order == 2 && x.crate_name != y.crate_name) return x.crate_name < y.crate_name;
  if (order == 3 && x.size != y.size) return x.size > y.size;
  return a > b;
}

TabRow row_of_event(const MonitorData& data, size_t i, int64_t) {
  const BuildEvent& event = data.events[i];
  const Look& look = look_of(event);
  Style style = event.is_fault() ? Style::bad : event.trial ? Style::dim : look.style;
  return {{std::string(look.sign) + " " + look.status, event.crate_name, action_of(event, look),
           event.compile_time_ms ? short_ms(event.compile_time_ms) : "", short_ms(event.elapsed_ms), event.size ? format_size(event.size) : "",
           clock_of(event.end_ns)},
          {style}};
}

std::vector<std::string> details_of_event(const MonitorData& data, size_t i) {
  const BuildEvent& event = data.events[i];
  std::string reasons;
  for (const std::string& reason : event.miss_reasons) reasons += (reasons.empty() ? "" : ", ") + reason;
  if (!event.lookup_rejection.empty()) reasons = "what was found could not be used: " + event.lookup_rejection;
  else if (event.result == "miss" && reasons.empty()) reasons = "nothing was stored for this command line";
  else if (!reasons.empty()) reasons = "changed: " + reasons;
  if (!event.store_error.empty()) reasons += (reasons.empty() ? "" : "; ") + ("not stored: " + event.store_error);
  if (!event.passthrough_reason.empty()) reasons += (reasons.empty() ? "" : "; ") + event.passthrough_reason;
  return {event.crate_name + (event.crate_type.empty() ? "" : " (" + event.crate_type + ")") + (event.root.empty() ? "" : " in " + event.root),
          "key " + short_ms(event.key_ms) + ", lookup " + short_ms(event.lookup_ms) + ", restore " + short_ms(event.restore_ms) + ", store " +
              short_ms(event.store_ms) + ", " + counted(event.compiler_runs, "compiler run", "compiler runs"),
          "at " + event.ts + (event.cache_key.empty() ? "" : ", key " + event.cache_key.substr(0, 16)), reasons};
}

// --- Passthrough ---

bool is_bypass(const MonitorData& data, size_t i) { return data.events[i].result == "passthrough" || data.events[i].result == "skipped"; }
const char* route_of(const BuildEvent& event) { return event.result == "skipped" ? "skipped" : event.fallback ? "fallback" : "direct"; }

// "unsupported|-o -": what it is, and which.
std::pair<std::string, std::string> kind_and_reason(const BuildEvent& event) {
  size_t bar = event.passthrough_reason.find('|');
  if (bar == std::string::npos) return {"refused", event.passthrough_reason};
  return {event.passthrough_reason.substr(0, bar), event.passthrough_reason.substr(bar + 1)};
}

std::string words_of_bypass(const MonitorData& data, size_t i) {
  return data.events[i].crate_name + " " + route_of(data.events[i]) + " " + data.events[i].passthrough_reason;
}

// newest, slowest, reason
bool is_bypass_before(const MonitorData& data, size_t order, size_t a, size_t b) {
  const BuildEvent &x = data.events[a], &y = data.events[b];
  if (order == 1 && x.elapsed_ms != y.elapsed_ms) return x.elapsed_ms > y.elapsed_ms;
  if (order == 2 && x.passthrough_reason != y.passthrough_reason) return x.passthrough_reason < y.passthrough_reason;
  return a > b;
}

TabRow row_of_bypass(const MonitorData& data, size_t i, int64_t) {
  const BuildEvent& event = data.events[i];
  auto [kind, reason] = kind_and_reason(event);
  Style exit = event.exit_code ? Style::bad : Style::plain;
  return {{clock_of(event.end_ns), event.crate_name, route_of(event), std::to_string(event.exit_code), kind, reason},
          {Style::plain, Style::plain, Style::plain, exit}};
}

// --- Projects ---

size_t count_projects(const MonitorData& data) { return data.projects.size(); }

std::string profiles_of(const BuildDir& dir) {
  std::string text;
  for (const std::string& label : dir.labels) text += (text.empty() ? "" : ", ") + label;
  return text;
}

std::string words_of_project(const MonitorData& data, size_t i) {
  const BuildDir& dir = data.projects[i];
  return shown_path(dir.path, data.cwd) + " " + kind_name(dir.kind) + " " + profiles_of(dir);
}

// size, path, age
bool is_project_before(const MonitorData& data, size_t order, size_t a, size_t b) {
  const BuildDir &x = data.projects[a], &y = data.projects[b];
  if (order == 0 && x.total != y.total) return x.total > y.total;
  if (order == 2 && x.newest_ns != y.newest_ns) return x.newest_ns < y.newest_ns;
  return x.path < y.path;
}

TabRow row_of_project(const MonitorData& data, size_t i, int64_t now_ns) {
  const BuildDir& dir = data.projects[i];
  auto size = [&](Part part) { return dir.part(part) ? format_size(dir.part(part)) : std::string("-"); };
  std::string deps = dir.kind == BuildKind::cargo ? size(Part::deps) : size(Part::objects);
  return {{shown_path(dir.path, data.cwd), kind_name(dir.kind), format_size(dir.total), format_size(dir.cached), format_size(dir.frees),
           size(Part::incremental), size(Part::build_scripts), deps, size(Part::binaries), size(Part::fingerprint),
           dir.newest_ns ? short_age(dir.newest_ns, now_ns) : "-", profiles_of(dir)},
          {dir.is_removable() ? Style::plain : Style::dim}};
}

std::vector<std::string> details_of_project(const MonitorData& data, size_t i) {
  const BuildDir& dir = data.projects[i];
  std::vector<std::string> lines = {dir.path};
  if (!dir.is_removable()) lines.push_back("kache clean leaves it alone: " + dir.obstacle);
  std::string parts;
  for (size_t part = 0; part < kParts; ++part) {
    if (dir.parts[part] > 0) parts += std::string(parts.empty() ? "" : ", ") + part_name(static_cast<Part>(part)) + " " + format_size(dir.parts[part]);
  }
  lines.push_back(parts);
  lines.push_back("kache clean would free " + format_size(dir.frees));
  return lines;
}

std::string sum_of_projects(const MonitorData& data) {
  if (!data.scan_problem.empty()) return data.scan_problem;
  Estimate sum = estimate(data.projects, std::vector<bool>(data.projects.size(), true));
  std::string text = counted(sum.count, "directory", "directories") + ", " + format_size(sum.total) + ", " + format_size(sum.cached) + " cached, " +
                     format_size(sum.frees) + " to be freed by kache clean";
  return data.is_scanning ? text + "; looking…" : text;
}

// --- Store ---

size_t count_entries(const MonitorData& data) { return data.entries.size(); }

std::string words_of_entry(const MonitorData& data, size_t i) {
  const IndexedEntry& entry = data.entries[i];
  return entry.crate_name + " " + entry.crate_types + " " + entry.profile + " " + entry.key.hex();
}

// size, hits, age, name
bool is_entry_before(const MonitorData& data, size_t order, size_t a, size_t b) {
  const IndexedEntry &x = data.entries[a], &y = data.entries[b];
  if (order == 0 && x.blob_bytes != y.blob_bytes) return x.blob_bytes > y.blob_bytes;
  if (order == 1 && x.hits != y.hits) return x.hits > y.hits;
  if (order == 2 && x.created_ns != y.created_ns) return x.created_ns < y.created_ns;
  if (x.crate_name != y.crate_name) return x.crate_name < y.crate_name;
  return a < b;
}

TabRow row_of_entry(const MonitorData& data, size_t i, int64_t now_ns) {
  const IndexedEntry& entry = data.entries[i];
  auto or_dash = [](const std::string& text) { return text.empty() ? "-" : text; };
  return {{entry.key.hex().substr(0, 12), entry.crate_name, or_dash(entry.crate_types), or_dash(entry.profile), format_size(entry.blob_bytes),
           std::to_string(entry.hits), entry.compile_ms ? short_ms(entry.compile_ms) : "", short_age(entry.created_ns, now_ns),
           short_age(entry.last_used_ns, now_ns)},
          {Style::dim}};
}

std::string sum_of_store(const MonitorData& data) {
  if (!data.store_problem.empty()) return data.store_problem;
  if (!data.has_store) return "looking…";
  std::string text = counted(data.store.entries, "entry", "entries") + ", " + counted(data.store.blobs, "blob", "blobs") + ", " +
                     format_size(data.store.blob_bytes) + "; without sharing it were " + format_size(data.store.logical_bytes);
  if (data.store.entries > data.entries.size()) text += "; the largest " + std::to_string(data.entries.size()) + " are listed";
  return text;
}

// --- Transfer ---

size_t count_transfers(const MonitorData& data) { return data.transfers.size(); }
std::string words_of_transfer(const MonitorData& data, size_t i) { return data.transfers[i].crate_name + " " + data.transfers[i].direction; }

// newest, size, time
bool is_transfer_before(const MonitorData& data, size_t order, size_t a, size_t b) {
  const Transfer &x = data.transfers[a], &y = data.transfers[b];
  if (order == 1 && x.compressed_bytes != y.compressed_bytes) return x.compressed_bytes > y.compressed_bytes;
  if (order == 2 && x.elapsed_ms != y.elapsed_ms) return x.elapsed_ms > y.elapsed_ms;
  return a > b;
}

TabRow row_of_transfer(const MonitorData& data, size_t i, int64_t now_ns) {
  const Transfer& one = data.transfers[i];
  bool is_upload = one.direction == "upload";
  return {{is_upload ? "↑ up" : "↓ down", one.crate_name, format_size(one.compressed_bytes), short_ms(one.elapsed_ms), one.ok ? "done" : "failed",
           short_age(one.at_ns(), now_ns)},
          {Style::accent, Style::plain, Style::plain, Style::plain, one.ok ? Style::good : Style::bad}};
}

std::string sum_of_transfers(const MonitorData& data) {
  uint64_t up = 0, down = 0, failed = 0;
  for (const Transfer& one : data.transfers) {
    (one.direction == "upload" ? up : down) += one.ok ? one.compressed_bytes : 0;
    failed += !one.ok;
  }
  return format_size(up) + " up, " + format_size(down) + " down, " + std::to_string(failed) + " failed";
}

const Tab kAll[kTabs] = {
    {"Build",
     {{"Status", 10}, {"Unit", 12, false, true}, {"Action", 18, false, false, 4}, {"Compile", 8, true, false, 5}, {"Total", 8, true, false, 6},
      {"Size", 10, true, false, 3}, {"Time", 8, true, false, 2}},
     {"newest", "slowest", "name", "size"},
     "No builds yet. They appear here as compiles end.",
     count_events, listed_always, words_of_event, is_event_before, row_of_event, build_of_event, details_of_event, no_sum},
    {"Projects",
     {{"Directory", 14, false, true, 9, true}, {"Kind", 5, false, false, 3}, {"Size", 10, true}, {"Cached", 10, true, false, 7},
      {"Frees", 10, true, false, 8}, {"Incr", 10, true, false, 4}, {"Build", 10, true, false, 3}, {"Deps", 10, true, false, 4},
      {"Bin", 10, true, false, 3}, {"Fprint", 10, true, false, 2}, {"Age", 4, true, false, 6}, {"Profile", 14, false, false, 5}},
     {"size", "path", "age"},
     "No build directories below the working directory.",
     count_projects, listed_always, words_of_project, is_project_before, row_of_project, nullptr, details_of_project, sum_of_projects},
    {"Store",
     {{"Key", 12, false, false, 4}, {"Unit", 12, false, true}, {"Type", 10, false, false, 3}, {"Profile", 8, false, false, 2}, {"Size", 10, true},
      {"Hits", 5, true, false, 7}, {"Compile", 8, true, false, 3}, {"Age", 4, true, false, 5}, {"Used", 4, true, false, 6}},
     {"size", "hits", "age", "name"},
     "Nothing is stored yet.",
     count_entries, listed_always, words_of_entry, is_entry_before, row_of_entry, nullptr, nullptr, sum_of_store},
    {"Transfer",
     {{"Dir", 6}, {"Unit", 12, false, true}, {"Size", 10, true, false, 6}, {"Time", 8, true, false, 4}, {"Status", 6}, {"Ago", 4, true, false, 3}},
     {"newest", "size", "time"},
     "No remote is set up: what is stored stays on this machine.",
     count_transfers, listed_always, words_of_transfer, is_transfer_before, row_of_transfer, nullptr, nullptr, sum_of_transfers},
    {"Passthrough",
     {{"Time", 8, false, false, 5}, {"Unit", 12, false, false, 8}, {"Route", 8, false, false, 4}, {"Exit", 4, true, false, 6}, {"Kind", 13, false, false, 3},
      {"Reason", 16, false, true}},
     {"newest", "slowest", "reason"},
     "Nothing went past kache.",
     count_events, is_bypass, words_of_bypass, is_bypass_before, row_of_bypass, build_of_event, details_of_event, no_sum},
};

}  // namespace

const Tab& monitor_tab(size_t which) { return kAll[which]; }

std::vector<size_t> listed_rows(const MonitorData& data, size_t which, size_t order, const std::string& filter, BuildNumber build) {
  const Tab& tab = kAll[which];
  std::string wanted = lower(filter);
  std::vector<size_t> rows;
  for (size_t i = 0; i < tab.count(data); ++i) {
    bool is_of_other = build != 0 && tab.build && tab.build(data, i) != build;
    if (is_of_other || !tab.is_listed(data, i)) continue;
    if (wanted.empty() || lower(tab.words(data, i)).find(wanted) != std::string::npos) rows.push_back(i);
  }
  std::sort(rows.begin(), rows.end(), [&](size_t a, size_t b) { return tab.is_before(data, order, a, b); });
  return rows;
}

}  // namespace kache
