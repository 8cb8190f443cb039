#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/choice.h"
#include "cli/json.h"
#include "index/causes.h"
#include "index/compare.h"

namespace kache {
namespace {

using json = nlohmann::ordered_json;

// What a list tells of each unit.
enum class Detail : uint8_t { why, times, cost };

struct List {
  const char *key, *title;
  std::vector<UnitPair> BuildComparison::*pairs;
  Detail detail;
};
constexpr List kLists[] = {
    {"newly_failed", "Failed now", &BuildComparison::newly_failed, Detail::cost},
    {"newly_missed", "Newly missed", &BuildComparison::newly_missed, Detail::why},
    {"missed_again", "Missed again", &BuildComparison::missed_again, Detail::why},
    {"newly_uncached", "No longer cached", &BuildComparison::newly_uncached, Detail::why},
    {"slower", "Slower", &BuildComparison::slower, Detail::times},
    {"faster", "Faster", &BuildComparison::faster, Detail::times},
    {"newly_hit", "Newly served from the cache", &BuildComparison::newly_hit, Detail::cost},
    {"appeared", "Only in the later build", &BuildComparison::appeared, Detail::cost},
    {"vanished", "Only in the earlier build", &BuildComparison::vanished, Detail::cost},
};

std::string unit_line(const UnitPair& pair, Detail detail) {
  const BuildEvent& event = pair.after ? *pair.after : *pair.before;
  std::string text = "  " + event.crate_name + " - ";
  switch (detail) {
    case Detail::why:
      return text + human_ms(cost_ms(event)) + "  [" + why_of(event) + "]";
    case Detail::times:
      return text + human_ms(compared_ms(*pair.before)) + " -> " + human_ms(compared_ms(*pair.after)) +
             (event.is_hit() ? " (hit)" : "");
    case Detail::cost:
      return text + event.result + ", " + human_ms(cost_ms(event)) + (event.is_hit() ? " avoided" : "");
  }
  return text;
}

void print_text(const PastBuild& before, size_t before_number, const PastBuild& after, size_t after_number,
                const BuildComparison& comparison, size_t top) {
  const Summary &a = before.sum, &b = after.sum;
  std::printf("Build %zu: %s\nBuild %zu: %s\n", before_number, describe_build(before).c_str(), after_number,
              describe_build(after).c_str());
  std::printf("  Hit rate:     %s%% -> %s%%\n", percent(a.hits(), a.total()).c_str(),
              percent(b.hits(), b.total()).c_str());
  std::printf("  Compiled:     %llu (%s) -> %llu (%s)\n", static_cast<unsigned long long>(a.compiled()),
              human_ms(a.spent_ms).c_str(), static_cast<unsigned long long>(b.compiled()),
              human_ms(b.spent_ms).c_str());
  std::printf("  Took:         %s -> %s\n", human_ms(before.wall_ms()).c_str(), human_ms(after.wall_ms()).c_str());
  bool is_any = false;
  for (const List& list : kLists) {
    const std::vector<UnitPair>& pairs = comparison.*list.pairs;
    if (pairs.empty()) continue;
    is_any = true;
    std::printf("\n%s (%zu):\n", list.title, pairs.size());
    for (size_t i = 0; i < pairs.size() && i < top; ++i) std::puts(printable(unit_line(pairs[i], list.detail)).c_str());
    if (pairs.size() > top) std::printf("  ... %zu more\n", pairs.size() - top);
  }
  if (!is_any) std::puts("\nNo unit was treated otherwise.");
}

json side(const BuildEvent* event) {
  if (!event) return nullptr;
  return {{"result", event->result},
          {"elapsed_ms", event->elapsed_ms},
          {"compile_time_ms", event->compile_time_ms},
          {"cache_key", event->cache_key}};
}

void print_json(const PastBuild& before, size_t before_number, const PastBuild& after, size_t after_number,
                const BuildComparison& comparison) {
  json all = {{"schema_version", 1},
              {"command", "diff"},
              {"before", build_json(before, before_number)},
              {"after", build_json(after, after_number)}};
  for (const List& list : kLists) {
    json& out = all[list.key] = json::array();
    for (const UnitPair& pair : comparison.*list.pairs) {
      const BuildEvent& event = pair.after ? *pair.after : *pair.before;
      json unit = {{"crate_name", event.crate_name},
                   {"crate_type", event.crate_type},
                   {"root", event.root},
                   {"before", side(pair.before)},
                   {"after", side(pair.after)}};
      if (list.detail == Detail::why)
        unit["why"] = event.miss_reasons.empty() ? std::vector<std::string>{why_of(event)} : event.miss_reasons;
      out.push_back(std::move(unit));
    }
  }
  std::puts(to_text(all).c_str());
}

}  // namespace

int run_diff(const CommandContext& context, const DiffOptions& options) {
  Result<std::vector<PastBuild>> builds = all_builds(context, options.root);
  if (!builds.ok()) return fail(builds.error().message);
  // `diff A`: from A to the last one. `diff`: from the one before it in the same tree.
  Result<const PastBuild*> after = choose_build(*builds, options.after.empty() ? "1" : options.after);
  if (!after.ok()) return fail_choice(after.error());
  const PastBuild* before = nullptr;
  if (!options.before.empty()) {
    Result<const PastBuild*> chosen = choose_build(*builds, options.before);
    if (!chosen.ok()) return fail_choice(chosen.error());
    before = *chosen;
  } else {
    for (const PastBuild& build : *builds) {
      if (&build != *after && build.root == (*after)->root && build.start_ns <= (*after)->start_ns) {
        before = &build;
        break;
      }
    }
    if (!before) return fail("build 1 is the only one of " + (*after)->root + "; name two that `kache builds` lists");
  }
  BuildComparison comparison = compare_builds(*before, **after);
  size_t before_number = number_of(*builds, *before), after_number = number_of(*builds, **after);
  if (options.json)
    print_json(*before, before_number, **after, after_number, comparison);
  else
    print_text(*before, before_number, **after, after_number, comparison, options.top);
  return 0;
}

}  // namespace kache
