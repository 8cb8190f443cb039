// Extra inputs: files that the user says matter (`extra_inputs` in kache.toml beside a crate's Cargo.toml), for what no
// recorder can see. They are only ever added to what was recorded.
#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"
#include "compiler/invocation.h"

namespace kache {

// The files that match now, sorted. An unreadable rule file is an error: then nothing is stored.
Result<std::vector<std::string>> find_extra_inputs(FileSystem& fs, const CommandLine& line,
                                                   const Invocation& invocation, const std::string& helper);

}  // namespace kache
