#include "index/builds.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>

#include "base/clock.h"
#include "wrapper/build.h"

namespace kache {
namespace {

bool is_crate(const BuildEvent& event) {
  constexpr std::string_view kTypes[] = {"lib", "bin", "proc-macro", "rlib", "dylib", "cdylib", "staticlib"};
  std::string_view type = std::string_view(event.crate_type).substr(0, event.crate_type.find(','));
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

// What build scripts compile lies in cargo's registry, and may be far more than the crates: it decides only where there are none.
std::string commonest_root(const std::vector<BuildEvent>& events) {
  std::map<std::string, size_t> counts;
  for (const BuildEvent& event : events) {
    bool weighs_more = event.build_tool == "cargo" && is_crate(event);
    counts[event.root] += event.is_probe() ? 0 : weighs_more ? 1 + events.size() : 1;
  }
  auto most =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? "" : most->first;
}

void finish(PastBuild build, int piece, std::vector<PastBuild>& builds) {
  build.root = commonest_root(build.events);
  build.sum = summarise(build.events);
  if (build.units() == 0) return;
  if (build.id.empty())
    build.id = format_time(build.start_ns).substr(0, 19);
  else if (piece > 1)
    build.id += "." + std::to_string(piece);
  builds.push_back(std::move(build));
}

// Of one session, or of one tree.
void split_at_gaps(std::vector<BuildEvent> events, std::vector<PastBuild>& builds) {
  std::stable_sort(events.begin(), events.end(),
                   [](const BuildEvent& a, const BuildEvent& b) { return a.start_ns() < b.start_ns(); });
  bool ends_with_build = !events.front().session_id.empty() && is_build_program(events.front().build_tool);
  PastBuild build;
  int piece = 1;
  for (BuildEvent& event : events) {
    bool is_next = !build.events.empty() && !ends_with_build && event.start_ns() - build.end_ns > kBuildGapNs;
    if (is_next) {
      finish(std::move(build), piece++, builds);
      build = {};
    }
    if (build.events.empty()) {
      build.id = event.session_id;
      build.tool = event.build_tool;
      build.start_ns = event.start_ns();
    }
    build.end_ns = std::max(build.end_ns, event.end_ns);
    build.events.push_back(std::move(event));
  }
  finish(std::move(build), piece, builds);
}

}  // namespace

std::vector<PastBuild> group_builds(std::vector<BuildEvent> events) {
  std::map<std::string, std::vector<BuildEvent>> groups;
  for (BuildEvent& event : events) {
    // No session has a slash.
    std::string key = event.session_id.empty() ? "/" + event.root : event.session_id;
    groups[key].push_back(std::move(event));
  }
  std::vector<PastBuild> builds;
  for (auto& [key, group] : groups) split_at_gaps(std::move(group), builds);
  std::stable_sort(builds.begin(), builds.end(),
                   [](const PastBuild& a, const PastBuild& b) { return a.end_ns > b.end_ns; });
  return builds;
}

size_t number_of(const std::vector<PastBuild>& builds, const PastBuild& build) {
  return static_cast<size_t>(&build - builds.data()) + 1;
}

Result<const PastBuild*> choose_build(const std::vector<PastBuild>& builds, const std::string& which) {
  auto invalid = [](const std::string& message) { return Error{ErrorCode::invalid, 0, message}; };
  if (builds.empty())
    return Error{ErrorCode::not_found, 0,
                 "no build is recorded yet; `kache doctor` says whether builds go through kache"};
  bool is_number = !which.empty() && which.size() < 9 && which.find_first_not_of("0123456789") == std::string::npos;
  if (is_number && std::stoul(which) >= 1 && std::stoul(which) <= builds.size()) return &builds[std::stoul(which) - 1];
  std::vector<const PastBuild*> named;
  for (const PastBuild& build : builds) {
    if (build.id == which) return &build;
    if (!is_number && !which.empty() && build.id.starts_with(which)) named.push_back(&build);
  }
  if (named.size() == 1) return named.front();
  if (named.size() > 1)
    return invalid("\"" + which + "\" is the beginning of " + std::to_string(named.size()) +
                   " builds; `kache builds` lists them");
  return invalid("there is no build \"" + which + "\"; write 1 (the last one) to " + std::to_string(builds.size()) +
                 ", or an id that `kache builds` lists");
}

}  // namespace kache
