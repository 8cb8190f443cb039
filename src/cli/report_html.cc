#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/html/files.h"
#include "cli/report.h"
#include "index/causes.h"
#include "index/store_index.h"

namespace kache {
namespace {

using json = nlohmann::json;

// A page of more is of no use to a browser.
constexpr size_t kMostEvents = 20'000, kMostBuilds = 100, kMostCauses = 500, kMostCrates = 500;

int64_t ms_of(int64_t ns) { return ns / 1'000'000; }

// One row for each event; texts that many of them share are numbers.
struct EventRows {
  json rows = json::array(), roots = json::array();
  int64_t origin_ms = 0;
  size_t left_out = 0;
};

EventRows event_rows(const ChosenEvents& chosen) {
  EventRows out;
  std::vector<size_t> kept;
  for (size_t i = 0; i < chosen.events.size(); ++i) {
    if (!chosen.events[i].is_probe()) kept.push_back(i);
  }
  if (kept.size() > kMostEvents) {
    out.left_out = kept.size() - kMostEvents;
    kept.erase(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(out.left_out));
  }
  int64_t first = INT64_MAX;
  for (size_t i : kept) first = std::min(first, ms_of(chosen.events[i].start_ns()));
  out.origin_ms = kept.empty() ? 0 : first;
  std::map<std::string, size_t> roots;
  for (size_t i : kept) {
    const BuildEvent& event = chosen.events[i];
    auto [root, is_new] = roots.try_emplace(event.root, roots.size());
    if (is_new) out.roots.push_back(event.root);
    out.rows.push_back({event.crate_name, event.crate_type, event.result, root->second, ms_of(event.start_ns()) - first,
                        ms_of(event.end_ns) - ms_of(event.start_ns()), event.compile_time_ms, event.size,
                        event.cache_key.substr(0, 12), event.is_hit() ? "" : why_of(event), chosen.history.build_of[i],
                        event.key_ms, event.lookup_ms, event.restore_ms, event.store_ms});
  }
  return out;
}
const json kColumns = {"name", "type", "result", "root", "start", "elapsed", "compile", "size",
                       "key",  "why",  "build",  "k",    "l",     "r",       "s"};

json summary_of(const ReportInput& input) {
  const Summary& sum = input.sum;
  const History& history = input.chosen.history;
  std::set<size_t> numbers(history.build_of.begin(), history.build_of.end());
  numbers.erase(0);
  uint64_t wall_ms = 0;
  for (size_t number : numbers) wall_ms += history.builds[number - 1].wall_ms();
  return {{"hits", sum.hits()},
          {"misses", sum.misses},
          {"dups", sum.dups},
          {"compiled", sum.compiled()},
          {"total", sum.total()},
          {"errors", sum.errors},
          {"passthroughs", sum.passthroughs},
          {"skipped", sum.skipped},
          {"saved", sum.saved_ms},
          {"spent", sum.spent_ms},
          {"hit_elapsed", sum.hit_elapsed_ms},
          {"wall", wall_ms},
          {"builds", numbers.size()}};
}

json causes_json(const std::vector<CauseCost>& causes) {
  json list = json::array();
  for (size_t i = 0; i < causes.size() && i < kMostCauses; ++i) {
    const CauseCost& cost = causes[i];
    list.push_back({{"why", cost.cause.why},
                    {"what", cost.cause.what},
                    {"fix", cost.cause.fix},
                    {"count", cost.count},
                    {"ms", cost.ms},
                    {"units", cost.units}});
  }
  return list;
}

// The results were there, for other inputs: what each of these inputs cost. An event counts for every one of its own.
json almost_json(const std::vector<BuildEvent>& events) {
  std::vector<BuildEvent> single;
  for (const BuildEvent& event : events) {
    if (!event.is_compiled() || event.is_probe()) continue;
    for (const std::string& reason : event.miss_reasons) {
      BuildEvent one;
      one.crate_name = event.crate_name;
      one.result = event.result;
      one.compile_time_ms = event.compile_time_ms;
      one.elapsed_ms = event.elapsed_ms;
      one.miss_reasons = {reason};
      single.push_back(std::move(one));
    }
  }
  json list = json::array();
  for (const CauseCost& cost : causes_of(single)) {
    if (list.size() == kMostCauses) break;
    list.push_back({{"what", cost.cause.why + ": " + cost.cause.what},
                    {"count", cost.count},
                    {"ms", cost.ms},
                    {"units", cost.units}});
  }
  return list;
}

json builds_json(const std::vector<PastBuild>& builds) {
  json list = json::array();
  for (size_t i = 0; i < builds.size() && i < kMostBuilds; ++i) {
    const PastBuild& build = builds[i];
    list.push_back({{"number", i + 1},
                    {"tool", build.tool},
                    {"root", build.root},
                    {"start", ms_of(build.start_ns)},
                    {"wall", build.wall_ms()},
                    {"hits", build.sum.hits()},
                    {"total", build.sum.total()},
                    {"saved", build.sum.saved_ms},
                    {"spent", build.sum.spent_ms}});
  }
  return list;
}

json store_json(const CommandContext& context) {
  Pace pace;
  StoreIndex index = StoreIndex::open(context.fs, context.clock, context.layout);
  if (!index.refresh(RefreshDepth::members, pace).ok()) return nullptr;
  struct Crate {
    std::string type;
    uint64_t entries = 0, bytes = 0, ms = 0;
  };
  std::map<std::string, Crate> crates;
  Status walked = index.each_entry("", ListOrder::name, {}, [&](const IndexedEntry& entry) {
    Crate& crate = crates[entry.crate_name];
    crate.type = entry.crate_types;
    crate.entries++;
    crate.bytes += entry.blob_bytes;
    crate.ms += entry.compile_ms;
  });
  if (!walked.ok()) return nullptr;
  std::vector<std::pair<std::string, Crate>> order(crates.begin(), crates.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second.bytes > b.second.bytes; });
  if (order.size() > kMostCrates) order.resize(kMostCrates);
  json list = json::array();
  for (const auto& [name, crate] : order) {
    list.push_back(
        {{"name", name}, {"type", crate.type}, {"entries", crate.entries}, {"bytes", crate.bytes}, {"ms", crate.ms}});
  }
  StoreTotals totals = index.totals();
  return {{"entries", totals.entries},
          {"units", crates.size()},
          {"bytes", totals.blob_bytes},
          {"limit", context.config.local_max_size},
          {"crates", std::move(list)}};
}

// Inside a script element nothing but "</" and "<!" could end or change it, and JSON knows another way to write '<'.
std::string embedded(const json& data) {
  std::string out;
  for (char c : data.dump(-1, ' ', false, json::error_handler_t::replace)) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

// `page` with what belongs at its marks; what is put in is not looked at.
std::string fill(std::string_view page, const std::vector<std::pair<std::string_view, std::string>>& marks) {
  std::string out;
  for (const auto& [mark, text] : marks) {
    size_t at = page.find(mark);
    out.append(page.substr(0, at)).append(text);
    page.remove_prefix(at + mark.size());
  }
  return out.append(page);
}

}  // namespace

std::string report_html(const ReportInput& input) {
  const ChosenEvents& chosen = input.chosen;
  EventRows rows = event_rows(chosen);
  json data = {{"version", KACHE_VERSION},
               {"label", chosen.label},
               {"generated", ms_of(input.context.clock.wall_ns())},
               {"summary", summary_of(input)},
               {"suggestions", suggestions(chosen.events, input.sum)},
               {"columns", kColumns},
               {"events", std::move(rows.rows)},
               {"roots", std::move(rows.roots)},
               {"origin", rows.origin_ms},
               {"left_out", rows.left_out},
               {"causes", causes_json(causes_of(chosen.events))},
               {"almost", almost_json(chosen.events)},
               {"builds", builds_json(chosen.history.builds)},
               {"store", store_json(input.context)}};
  return fill(kHtmlPage, {{"@STYLE@", kHtmlStyle}, {"@DATA@", embedded(data)}, {"@SCRIPT@", kHtmlScript}});
}

}  // namespace kache
