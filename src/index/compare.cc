#include "index/compare.h"

#include <algorithm>
#include <map>

#include "index/causes.h"

namespace kache {
namespace {

bool is_uncached(const BuildEvent& event) { return event.result == "passthrough"; }

// Units of one name (every crate has a build_script_build, every project a util.c) belong together by their command
// lines first, and then in the order in which they came.
std::vector<UnitPair> pair_units(const PastBuild& before, const PastBuild& after) {
  struct Sides {
    std::vector<const BuildEvent*> before, after;
  };
  std::map<std::string, Sides> names;
  for (const BuildEvent& event : before.events) {
    if (!event.is_probe() && !event.trial) names[event.crate_name + '\0' + event.crate_type].before.push_back(&event);
  }
  for (const BuildEvent& event : after.events) {
    if (!event.is_probe() && !event.trial) names[event.crate_name + '\0' + event.crate_type].after.push_back(&event);
  }
  std::vector<UnitPair> pairs;
  for (auto& [name, named] : names) {
    Sides& sides = named;  // clang 14 captures no binding
    std::erase_if(sides.after, [&](const BuildEvent* event) {
      auto same = std::find_if(sides.before.begin(), sides.before.end(), [&](const BuildEvent* other) {
        return !event->invocation_key.empty() && other->invocation_key == event->invocation_key;
      });
      if (same == sides.before.end()) return false;
      pairs.push_back({*same, event});
      sides.before.erase(same);
      return true;
    });
    for (size_t i = 0; i < std::max(sides.before.size(), sides.after.size()); ++i) {
      pairs.push_back(
          {i < sides.before.size() ? sides.before[i] : nullptr, i < sides.after.size() ? sides.after[i] : nullptr});
    }
  }
  return pairs;
}

// A tenth of a second and a fifth of the time: less is chance.
bool is_longer(uint64_t ms, uint64_t than) { return ms >= than + 100 && ms >= than + than / 5; }

uint64_t importance(const UnitPair& pair) {
  if (pair.before && pair.after && !pair.before->is_failed_compile() && pair.before->is_hit() == pair.after->is_hit()) {
    uint64_t a = compared_ms(*pair.before), b = compared_ms(*pair.after);
    return a > b ? a - b : b - a;
  }
  return cost_ms(pair.after ? *pair.after : *pair.before);
}

}  // namespace

uint64_t compared_ms(const BuildEvent& event) { return event.is_hit() ? event.elapsed_ms : event.compile_time_ms; }

BuildComparison compare_builds(const PastBuild& before, const PastBuild& after) {
  BuildComparison result;
  for (const UnitPair& pair : pair_units(before, after)) {
    if (!pair.before || !pair.after) {
      (pair.before ? result.vanished : result.appeared).push_back(pair);
      continue;
    }
    const BuildEvent &a = *pair.before, &b = *pair.after;
    if (a.is_hit() && b.is_compiled()) result.newly_missed.push_back(pair);
    if (!a.is_hit() && b.is_hit()) result.newly_hit.push_back(pair);
    if (a.is_compiled() && b.is_compiled()) result.missed_again.push_back(pair);
    if (!a.is_error() && b.is_error()) result.newly_failed.push_back(pair);
    if (!is_uncached(a) && is_uncached(b)) result.newly_uncached.push_back(pair);
    bool is_comparable = (a.is_hit() && b.is_hit()) || (a.is_compiled() && b.is_compiled());
    if (is_comparable && is_longer(compared_ms(b), compared_ms(a))) result.slower.push_back(pair);
    if (is_comparable && is_longer(compared_ms(a), compared_ms(b))) result.faster.push_back(pair);
  }
  for (auto* list : {&result.newly_missed, &result.newly_hit, &result.missed_again, &result.newly_failed,
                     &result.newly_uncached, &result.slower, &result.faster, &result.appeared, &result.vanished}) {
    std::stable_sort(list->begin(), list->end(),
                     [](const UnitPair& a, const UnitPair& b) { return importance(a) > importance(b); });
  }
  return result;
}

}  // namespace kache
