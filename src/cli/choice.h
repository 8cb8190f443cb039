// The events that stats, report, builds and diff are about.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "index/builds.h"

namespace kache {

// The builds of the whole log, without their events, and which of them each chosen event belongs to (a number; 0:
// none).
struct History {
  std::vector<PastBuild> builds;
  std::vector<size_t> build_of;
};

struct ChosenEvents {
  std::vector<BuildEvent> events;
  int64_t span_ns = 0;             // from the beginning of the window until now
  std::string label;               // "last 24h", or "build 1: cargo in /w/app, 2026-08-22 10:11:12, 4.2s"
  std::optional<PastBuild> build;  // where it is one; without its events
  size_t number = 0;               // of that
  History history;                 // where add_history() was called
};

// What is wrong with the choice is `invalid`, or `not_found` where there is no build at all.
Result<ChosenEvents> choose_events(const CommandContext& context, const EventChoice& choice);

Status add_history(const CommandContext& context, const EventChoice& choice, ChosenEvents& chosen);

// Of the whole log; `root` may be "".
Result<std::vector<PastBuild>> all_builds(const CommandContext& context, const std::string& root);

// "cargo in /w/app, 2026-08-22 10:11:12, 4.2s"
std::string describe_build(const PastBuild& build);

// Says what was wrong on stderr; the exit status for it.
int fail_choice(const Error& error);

}  // namespace kache
