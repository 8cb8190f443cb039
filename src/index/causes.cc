#include "index/causes.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "wrapper/difference.h"

namespace kache {
namespace {

struct Words {
  std::string_view why, fix;
};
// In the order of Difference::Kind.
constexpr Words kWords[] = {
    {"changed", ""},
    {"file changed", ""},
    {"new file on a search path", ""},
    {"file appeared or vanished", ""},
    {"directory changed", ""},
    {"link changed", ""},
    {"program changed", ""},
    {"variable changed", "unset it, or give it one value in all builds"},
    {"built at another place", "list the place in base_dirs, so that paths below it are alike"},
    {"file time changed", "clang precompiles by size and time; do not touch what did not change"},
};
static_assert(std::size(kWords) == size_t{Difference::times} + 1);

// "policy|listed in x: y" → "listed in x"
std::string sentence(const std::string& reason) {
  std::string text = reason.substr(reason.find('|') + 1);
  return text.substr(0, text.find(": "));
}

}  // namespace

Cause cause_of(const BuildEvent& event) {
  if (event.is_failed_compile())
    return {event.trial ? "failed probe" : "compile failed", event.trial ? "" : event.crate_name, ""};
  if (event.result == "skipped") return {"compiled incrementally", sentence(event.passthrough_reason), ""};
  if (event.result == "passthrough")
    return {"not cacheable", sentence(event.passthrough_reason), "`kache why-miss` names what is in the way"};
  if (!event.miss_reasons.empty()) {
    const std::string& reason = event.miss_reasons.front();
    Difference difference = parse_difference(reason);
    const Words& words = kWords[difference.kind];
    return {std::string(words.why), difference.kind == Difference::none ? reason : difference.name, std::string(words.fix)};
  }
  if (event.lookup_rejection == "entry evicted") return {"evicted", "", "raise the store's size (local_max_size)"};
  if (!event.lookup_rejection.empty()) return {"result not usable", event.lookup_rejection, "kache doctor --verify"};
  return {"new command line", "", ""};
}

uint64_t cost_ms(const BuildEvent& event) { return event.compile_time_ms ? event.compile_time_ms : event.elapsed_ms; }

std::vector<CauseCost> causes_of(const std::vector<BuildEvent>& events) {
  std::map<std::string, CauseCost> costs;
  std::set<std::string> seen;
  for (const BuildEvent& event : events) {
    if (event.is_probe() || event.is_hit()) continue;
    Cause cause = cause_of(event);
    std::string key = cause.why + '\0' + cause.what;
    CauseCost& cost = costs[key];
    cost.cause = std::move(cause);
    cost.count++;
    cost.ms += cost_ms(event);
    if (seen.insert(key + '\0' + event.crate_name).second) cost.units.push_back(event.crate_name);
  }
  std::vector<CauseCost> list;
  for (auto& [key, cost] : costs) list.push_back(std::move(cost));
  std::stable_sort(list.begin(), list.end(), [](const CauseCost& a, const CauseCost& b) {
    return a.ms != b.ms ? a.ms > b.ms : a.count > b.count;
  });
  return list;
}

std::string why_of(const BuildEvent& event) {
  std::string text;
  for (const std::string& reason : event.miss_reasons) text += (text.empty() ? "" : ", ") + reason;
  if (!text.empty()) return text;
  Cause cause = cause_of(event);
  return cause.why + (cause.what.empty() ? "" : ": " + cause.what);
}

}  // namespace kache
