// What the commands about remotes share.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cli/command.h"
#include "index/builds.h"
#include "remote/fetch_plan.h"
#include "remote/session_packs.h"
#include "remote/setup.h"

namespace kache {

// The remotes of the configuration in force. An Error is for the user as it stands: what is missing, and the next step.
Result<std::shared_ptr<RemoteSetup>> open_remotes(const CommandContext& context);

// Shows on stderr how much of something is done. From any thread.
class DoneCount {
 public:
  DoneCount(std::string doing, size_t count);
  // One more. `problem`: "" or what went wrong with it, which is said.
  void add(const std::string& problem);
  // The last line. How many failed.
  size_t finish();

 private:
  const std::string doing_;
  const size_t count_;
  const bool is_terminal_;
  std::mutex mutex_;
  size_t done_ = 0, failed_ = 0;
};

// Does pieces of work, several at a time, and returns when all are done.
void do_all(const CommandContext& context, const std::vector<std::function<void()>>& work);

Limits command_limits(const CommandContext& context);

// The units of a build that can be asked for again, in order.
RecordedSession session_of(const PastBuild& build, const Namespace& name, int64_t now_ns);

// Brings what is planned into the store, as ahead of a build, and shows how far it is. What a pack does not bring is fetched unit
// by unit. Returns how many units failed.
size_t fetch_planned(const CommandContext& context, RemoteSetup& setup, const FetchPlan& plan, const std::string& doing, const Limits& limits);

// Stores what a build asked for, with its packs where these are wanted.
Result<SavedSession> save_build(const CommandContext& context, RemoteSetup& setup, RecordedSession session, const std::string& id);

// Brings one unit into the store: "" or what went wrong.
std::string fetch_unit(const CommandContext& context, RemoteSetup& setup, const SessionUnit& unit, EntryOrigin origin);

}  // namespace kache
