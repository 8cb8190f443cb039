#include "index/causes.h"

#include <algorithm>
#include <map>
#include <set>

namespace kache {
namespace {

// The words of wrapper/lookup.cc (describe), longest first.
struct Noun {
  std::string_view noun, why, fix;
};
constexpr Noun kNouns[] = {
    {"time of file ", "file time changed", "clang precompiles by size and time; do not touch what did not change"},
    {"presence of ", "file appeared or vanished", ""},
    {"new file ", "new file on a search path", ""},
    {"list of ", "directory changed", ""},
    {"location ", "built at another place", "list the place in base_dirs, so that paths below it are alike"},
    {"variable ", "variable changed", "unset it, or give it one value in all builds"},
    {"program ", "program changed", ""},
    {"file ", "file changed", ""},
    {"link ", "link changed", ""},
};

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
    for (const Noun& noun : kNouns) {
      if (reason.starts_with(noun.noun))
        return {std::string(noun.why), reason.substr(noun.noun.size()), std::string(noun.fix)};
    }
    return {"changed", reason, ""};
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
