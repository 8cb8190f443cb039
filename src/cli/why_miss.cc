#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <set>

#include "cli/command.h"
#include "compiler/cc_languages.h"
#include "index/events.h"
#include "index/store_index.h"
#include "store/traces.h"

namespace kache {
namespace {

// Of the unit's command lines that still lead to something.
std::vector<Traces> traces_of(const CommandContext& context, const std::string& crate) {
  std::vector<Traces> found;
  Pace pace;
  StoreIndex index = StoreIndex::open(context.fs, context.clock, context.layout);
  if (!index.refresh(RefreshDepth::members, pace).ok()) return found;
  Result<std::vector<InvocationKey>> keys = index.invocations_of(crate);
  if (!keys.ok()) return found;
  for (const InvocationKey& key : *keys) {
    Result<std::string> bytes = read_file(context.fs, context.layout.trace(key), kMaxTracesSize);
    if (!bytes.ok()) continue;
    Result<Traces> traces = decode_traces(*bytes, key);
    if (traces.ok()) found.push_back(std::move(traces).value());
  }
  return found;
}

// Their text is a digest, and tells nobody anything.
bool is_digest(const KeyPart& part) {
  constexpr std::string_view kLabels[] = {"toolchain", "salt", "cpu", "preprocessed", "messages of the preprocessor"};
  bool listed = std::find(std::begin(kLabels), std::end(kLabels), part.label) != std::end(kLabels);
  return listed || part.label.starts_with("env ") || part.label.starts_with("program ");
}

// Parts of one key that the other has not: what was said differently.
std::vector<std::string> only_in(const std::vector<KeyPart>& a, const std::vector<KeyPart>& b) {
  std::map<std::string, int> counts;
  for (const KeyPart& part : b) counts[part.label + '\0' + part.text]++;
  std::vector<std::string> out;
  for (const KeyPart& part : a) {
    if (counts[part.label + '\0' + part.text]-- > 0) continue;
    out.push_back(part.label + (is_digest(part) ? "" : ": " + part.text));
  }
  return out;
}

// No candidate was known for the command line: which command line of this unit is the nearest, and what is different?
void explain_command_line(const CommandContext& context, const BuildEvent& miss) {
  std::vector<Traces> all = traces_of(context, miss.crate_name);
  auto own = std::find_if(all.begin(), all.end(),
                          [&](const Traces& traces) { return traces.key.hex() == miss.invocation_key; });
  if (own == all.end()) {
    std::puts("Diagnosis: nothing was stored for this command line, so there is nothing to compare with.");
    return;
  }
  const Traces* nearest = nullptr;
  size_t fewest = SIZE_MAX;
  for (const Traces& traces : all) {
    if (&traces == &*own) continue;
    size_t distance = only_in(own->parts, traces.parts).size() + only_in(traces.parts, own->parts).size();
    if (distance < fewest) {
      fewest = distance;
      nearest = &traces;
    }
  }
  if (!nearest) {
    std::puts("Diagnosis: never cached before: this was the first build of it with this store.");
    return;
  }
  std::puts("Diagnosis: no result for this command line. Compared with the nearest one that was stored:");
  std::vector<std::string> gone = only_in(nearest->parts, own->parts);
  for (const std::string& part : only_in(own->parts, nearest->parts)) {
    // With its value left out, it is in both.
    bool is_other_value = std::erase(gone, part) > 0;
    std::printf("  %s %s\n", is_other_value ? "changed:" : "new: ", part.c_str());
  }
  for (const std::string& part : gone) std::printf("  gone: %s\n", part.c_str());
}

void print_last_events(const std::vector<BuildEvent>& events) {
  std::puts("\nLast events:");
  size_t first = events.size() > 5 ? events.size() - 5 : 0;
  for (size_t i = first; i < events.size(); ++i) {
    const BuildEvent& event = events[i];
    std::printf("  %s  %-14s %-12s %s\n", event.ts.substr(0, 19).c_str(), event.result.c_str(),
                event.cache_key.substr(0, 12).c_str(), human_size(event.size).c_str());
  }
}

std::vector<BuildEvent> events_of(const std::vector<BuildEvent>& log, const std::string& given) {
  std::vector<BuildEvent> events;
  for (const std::string& name : unit_names(given)) {
    if (!events.empty()) break;
    std::copy_if(log.begin(), log.end(), std::back_inserter(events), [&](const BuildEvent& event) { return event.crate_name == name; });
  }
  return events;
}

void tell_of_no_events(const std::vector<BuildEvent>& log, const std::string& given) {
  std::string tip = cc_language_of(given).empty() ? ": cargo build -p " + given : "; `kache doctor` says whether builds go through kache";
  std::printf("No events found for %s. Build it first%s\n", given.c_str(), tip.c_str());
  // "deflate" may be meant to be deflate.c.
  std::set<std::string> alike;
  for (const BuildEvent& event : log) {
    if (event.crate_name.starts_with(given + ".")) alike.insert(event.crate_name);
  }
  for (const std::string& name : alike) std::printf("  there is one called %s\n", name.c_str());
}

}  // namespace

int run_why_miss(const CommandContext& context, const std::string& given) {
  Result<std::vector<BuildEvent>> log = read_events(context.fs, context.layout.events(), 0);
  if (!log.ok()) return fail(log.error().message);
  std::vector<BuildEvent> events = events_of(*log, given);
  if (events.empty()) return tell_of_no_events(*log, given), 0;
  const std::string& unit = events.front().crate_name;
  auto miss = std::find_if(events.rbegin(), events.rend(), [](const BuildEvent& event) { return !event.is_hit(); });
  if (miss == events.rend()) {
    std::printf("%s: all events are hits.\n", unit.c_str());
    print_last_events(events);
    return 0;
  }
  std::printf("Why %s missed:\n  Last %s: %s (key: %s)\n", unit.c_str(), miss->result.c_str(), miss->ts.substr(0, 19).c_str(),
              miss->cache_key.empty() ? "-" : miss->cache_key.substr(0, 12).c_str());
  // Sources of one name are in many a tree.
  if (!miss->root.empty()) std::printf("  Built in: %s\n", miss->root.c_str());
  if (miss->is_failed_compile()) {
    std::printf("NOT CACHED: the compile failed (exit status %d), and such a result is never kept.\n", miss->exit_code);
  }
  if (!miss->store_error.empty()) {
    std::printf("NOT CACHED: it was compiled and could not be stored: %s\n", miss->store_error.c_str());
  }
  if (!miss->passthrough_reason.empty()) {
    std::printf("NOT CACHED: %s\n", miss->passthrough_reason.substr(miss->passthrough_reason.find('|') + 1).c_str());
  }
  if (!miss->lookup_rejection.empty()) {
    std::printf("A matching result was found and could not be used: %s\n", miss->lookup_rejection.c_str());
  }
  if (!miss->miss_reasons.empty()) {
    std::puts("Diagnosis: the command line is known. Since the nearest stored result these changed:");
    for (const std::string& reason : miss->miss_reasons) std::printf("  %s\n", reason.c_str());
  } else if (miss->is_compiled() && miss->lookup_rejection.empty()) {
    explain_command_line(context, *miss);
  }
  print_last_events(events);
  return 0;
}

}  // namespace kache
