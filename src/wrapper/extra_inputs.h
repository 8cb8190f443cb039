// Extra inputs: files that the user says matter (`extra_inputs` in kache.toml beside a crate's Cargo.toml, or for a whole tree
// in its .kache.toml), for what no recorder can see. They are only ever added to what was recorded.
#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"
#include "compiler/invocation.h"
#include "config/config.h"
#include "key/input.h"

namespace kache {

struct ExtraInputs {
  std::vector<std::string> files;  // the rule file and what matches it now, absolute
  std::vector<Input> questions;    // which files match; or that there is no rule file. Without digests, `path` literal.
};

// An unreadable rule file is an error: then nothing is stored. The rules of a .kache.toml are in the key, so that file is no input.
Result<ExtraInputs> find_extra_inputs(FileSystem& fs, const CommandLine& line, const Invocation& invocation, const Config& config,
                                      const std::string& helper);

}  // namespace kache
