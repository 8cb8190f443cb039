// credential_process of a profile: a program that prints credentials.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "remote/remote.h"

namespace kache {

// Words separated by blanks; quotes and backslashes as a shell has them, and nothing else of a shell: no variable, no
// substitution, no pipe. `invalid` for a quote that is not closed.
Result<std::vector<std::string>> split_command(std::string_view text);

// What the program prints, at most 64 KiB. It has no input and its complaints go where ours go. `timed_out` at the deadline and
// `denied` when it fails; it is ended then.
Result<std::string> run_credential_process(const std::vector<std::string>& argv, const Env& env, const Limits& limits);

}  // namespace kache
