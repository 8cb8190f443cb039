// What the commands about remotes share.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "index/builds.h"
#include "remote/session.h"
#include "remote/setup.h"

namespace kache {

// The remotes of the configuration in force. An Error is for the user as it stands: what is missing, and the next step.
Result<std::shared_ptr<RemoteSetup>> open_remotes(const CommandContext& context);

// Does `count` pieces of work, several at a time, and shows on stderr how far it is. `work(i)` returns "" or what went wrong;
// that is said on stderr. Returns how many failed.
size_t do_all(const CommandContext& context, const std::string& doing, size_t count, const std::function<std::string(size_t)>& work);

Limits command_limits(const CommandContext& context);

// The units of a build that can be asked for again, in order.
RecordedSession session_of(const PastBuild& build, const Namespace& name, int64_t now_ns);

// Brings one unit into the store: "" or what went wrong.
std::string fetch_unit(const CommandContext& context, RemoteSetup& setup, const SessionUnit& unit, EntryOrigin origin, Moved* moved = nullptr);

}  // namespace kache
