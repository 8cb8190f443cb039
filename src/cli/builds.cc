#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/choice.h"
#include "cli/json.h"

namespace kache {
namespace {

using json = nlohmann::ordered_json;

void print_table(const std::vector<PastBuild>& builds, size_t top) {
  std::printf("%5s  %-19s  %8s  %-10s %6s %6s %6s %6s %6s %9s %9s  %s\n", "Build", "When", "Took", "Tool", "Units",
              "Hits", "Misses", "Failed", "Rate", "Compiled", "Saved", "Tree");
  size_t number = 0;
  for (const PastBuild& build : builds) {
    if (number++ == top) break;
    std::string when = format_time(build.start_ns).substr(0, 19);
    when[10] = ' ';
    auto count = [](uint64_t n) { return static_cast<unsigned long long>(n); };
    std::printf("%5zu  %-19s  %8s  %-10s %6llu %6llu %6llu %6llu %5s%% %9s %9s  %s\n", number, when.c_str(),
                human_ms(build.wall_ms()).c_str(), build.tool.empty() ? "-" : printable(build.tool).c_str(),
                count(build.units()), count(build.sum.hits()), count(build.sum.compiled()), count(build.sum.errors),
                percent(build.sum.hits(), build.sum.total()).c_str(), human_ms(build.sum.spent_ms).c_str(),
                human_ms(build.sum.saved_ms).c_str(), printable(build.root).c_str());
  }
  if (builds.size() > top) std::printf("\n%zu more; --top N shows more of them\n", builds.size() - top);
}

}  // namespace

json build_json(const PastBuild& build, size_t number) {
  const Summary& sum = build.sum;
  uint64_t known = sum.saved_ms + sum.spent_ms;
  return {{"number", number},
          {"session_id", build.id},
          {"tool", build.tool},
          {"root", build.root},
          {"start_time", rfc3339(build.start_ns)},
          {"end_time", rfc3339(build.end_ns)},
          {"duration_ms", build.wall_ms()},
          {"units", build.units()},
          {"hits", sum.hits()},
          {"misses", sum.compiled()},
          {"failed", sum.errors},
          {"passthroughs", sum.passthroughs},
          {"skipped", sum.skipped},
          {"hit_rate_pct", rate(sum.hits(), sum.total())},
          {"weighted_hit_rate_pct", known ? json(rate(sum.saved_ms, known)) : json(nullptr)},
          {"compile_time_ms", sum.spent_ms},
          {"time_saved_ms", sum.saved_ms}};
}

int run_builds(const CommandContext& context, const BuildsOptions& options) {
  Result<std::vector<PastBuild>> builds = all_builds(context, options.root);
  if (!builds.ok()) return fail(builds.error().message);
  if (!options.json) {
    if (builds->empty())
      std::puts("No builds recorded.");
    else
      print_table(*builds, options.top);
    return 0;
  }
  json list = json::array();
  for (size_t i = 0; i < builds->size() && i < options.top; ++i) list.push_back(build_json((*builds)[i], i + 1));
  json all = {{"schema_version", 1}, {"command", "builds"}, {"total", builds->size()}, {"builds", std::move(list)}};
  std::puts(to_text(all).c_str());
  return 0;
}

}  // namespace kache
