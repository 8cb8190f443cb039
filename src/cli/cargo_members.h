// The members of the cargo workspace here.
#pragma once

#include <set>
#include <string>

#include "cli/command.h"

namespace kache {

// Names as events have them. An Error where there is no workspace, or cargo can not say.
Result<std::set<std::string>> workspace_members(const CommandContext& context, const std::string& manifest_path);

}  // namespace kache
