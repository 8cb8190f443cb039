#include "tui/monitor_builds.h"

#include <algorithm>

#include "tui/words.h"

namespace kache {
namespace {

const std::vector<Column> kColumns = {{"Began", 8},           {"Tool", 9, false, false, 6},  {"Tree", 14, false, true, 9, true}, {"Units", 6, true, false, 5},
                                      {"Hits", 6, true},      {"Misses", 6, true, false, 4}, {"Live", 4, true, false, 3},        {"Last", 4, true, false, 2}};

std::vector<const SeenBuild*> newest_first(const MonitorData& data) {
  std::vector<const SeenBuild*> builds;
  for (const SeenBuild& build : data.builds) {
    // Of some only signs of life were seen, and then nothing more.
    if (build.units > 0 || !in_flight_of(data, build.number).empty()) builds.push_back(&build);
  }
  std::sort(builds.begin(), builds.end(), [](const SeenBuild* a, const SeenBuild* b) {
    return a->end_ns != b->end_ns ? a->end_ns > b->end_ns : a->number > b->number;
  });
  return builds;
}

std::vector<std::string> cells_of(const BuildChoice& choice, const MonitorData& data, int64_t now_ns) {
  if (choice.kind == BuildChoice::all) return {"all", "", "all builds", "", "", "", "", ""};
  if (choice.kind == BuildChoice::latest) return {"latest", "", "whichever is newest", "", "", "", "", ""};
  const SeenBuild& build = *build_of(data, choice.number);
  size_t live = in_flight_of(data, choice.number).size();
  return {clock_of(build.start_ns), build.tool, shown_path(build.root, data.cwd), std::to_string(build.units),
          share(build.counts.hits(), build.counts.total()), std::to_string(build.counts.misses), live ? std::to_string(live) : "",
          short_age(build.end_ns, now_ns)};
}

}  // namespace

BuildNumber chosen_build(const BuildChoice& choice, const MonitorData& data) {
  if (choice.kind == BuildChoice::all) return 0;
  if (choice.kind == BuildChoice::one) return choice.number;
  std::vector<const SeenBuild*> builds = newest_first(data);
  return builds.empty() ? 0 : builds.front()->number;
}

std::string name_of_choice(const BuildChoice& choice, const MonitorData& data) {
  if (choice.kind == BuildChoice::all) return {};
  const SeenBuild* build = build_of(data, chosen_build(choice, data));
  if (!build) return choice.kind == BuildChoice::latest ? "latest build" : "a build that is over";
  return (build->tool.empty() ? "build" : build->tool) + " of " + clock_of(build->start_ns);
}

std::vector<BuildChoice> build_choices(const MonitorData& data) {
  std::vector<BuildChoice> choices = {{BuildChoice::all}, {BuildChoice::latest}};
  for (const SeenBuild* build : newest_first(data)) choices.push_back({BuildChoice::one, build->number});
  return choices;
}

void draw_builds(Frame& frame, int list, size_t page, const ListPlace& place, const MonitorData& data, int64_t now_ns) {
  std::vector<BuildChoice> choices = build_choices(data);
  std::vector<int> widths = fit_columns(kColumns, frame.width());
  put_titles(frame, 0, list - 1, kColumns, widths);
  for (size_t i = place.top; i < std::min(place.top + page, choices.size()); ++i) {
    int y = list + static_cast<int>(i - place.top);
    put_row(frame, 0, y, kColumns, widths, cells_of(choices[i], data, now_ns));
    if (i == place.cursor) frame.reverse(y);
  }
}

}  // namespace kache
