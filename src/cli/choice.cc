#include "cli/choice.h"

#include <map>

#include "base/path.h"

namespace kache {
namespace {

void keep_below(const CommandContext& context, const std::string& root, std::vector<BuildEvent>& events) {
  if (root.empty()) return;
  std::string path = absolute_path(context.cwd, root);
  std::erase_if(events, [&](const BuildEvent& event) { return !is_below(event.root, path); });
}

Result<ChosenEvents> choose_build_events(const CommandContext& context, const EventChoice& choice) {
  std::vector<PastBuild> builds = KACHE_TRY(all_builds(context, choice.root));
  const PastBuild* build = KACHE_TRY(choose_build(builds, choice.build.empty() ? "1" : choice.build));
  ChosenEvents chosen;
  chosen.number = number_of(builds, *build);
  chosen.label = "build " + std::to_string(chosen.number) + ": " + describe_build(*build);
  chosen.span_ns = context.clock.wall_ns() - build->start_ns;
  chosen.build = *build;
  chosen.events.swap(chosen.build->events);
  return chosen;
}

}  // namespace

Result<std::vector<PastBuild>> all_builds(const CommandContext& context, const std::string& root) {
  std::vector<BuildEvent> events = KACHE_TRY(read_events(context.fs, context.layout.events(), 0));
  keep_below(context, root, events);
  return group_builds(std::move(events));
}

Result<ChosenEvents> choose_events(const CommandContext& context, const EventChoice& choice) {
  if (choice.last_build || !choice.build.empty()) return choose_build_events(context, choice);
  Result<int64_t> span = parse_duration(choice.since);
  if (!span.ok()) return std::move(span).error().in("--since");
  ChosenEvents chosen;
  chosen.span_ns = *span;
  chosen.label = "last " + choice.since;
  chosen.events = KACHE_TRY(read_events(context.fs, context.layout.events(), context.clock.wall_ns() - *span));
  keep_below(context, choice.root, chosen.events);
  return chosen;
}

Status add_history(const CommandContext& context, const EventChoice& choice, ChosenEvents& chosen) {
  History& history = chosen.history;
  history.builds = KACHE_TRY(all_builds(context, choice.root));
  auto key = [](const BuildEvent& event) { return event.session_id.empty() ? "/" + event.root : event.session_id; };
  std::map<std::string, std::vector<const PastBuild*>> by_key;
  for (PastBuild& build : history.builds) {
    by_key[key(build.events.front())].push_back(&build);
    build.events.clear();
  }
  for (const BuildEvent& event : chosen.events) {
    history.build_of.push_back(0);
    for (const PastBuild* build : by_key[key(event)]) {
      if (build->start_ns <= event.start_ns() && event.end_ns <= build->end_ns)
        history.build_of.back() = number_of(history.builds, *build);
    }
  }
  return Ok{};
}

std::string describe_build(const PastBuild& build) {
  std::string when = format_time(build.start_ns).substr(0, 19);
  when[10] = ' ';
  std::string what = build.tool;
  if (!build.root.empty()) what += (what.empty() ? "in " : " in ") + build.root;
  return printable(what) + (what.empty() ? "" : ", ") + when + ", " + human_ms(build.wall_ms());
}

int fail_choice(const Error& error) {
  fail(error.message);
  return error.code == ErrorCode::invalid ? 2 : 1;
}

}  // namespace kache
