// What stands about remotes in the summaries: which there are, and what the daemon says of itself. Starts no daemon.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/command.h"

namespace kache {

// "directory /mnt/cache, s3://bucket", "not configured", "local-only mode (remotes are ignored)", "MISCONFIGURED - why".
std::string remote_text(const CommandContext& context);

// The daemon's status; null where none is running or it does not answer.
nlohmann::ordered_json daemon_status(const CommandContext& context);

}  // namespace kache
