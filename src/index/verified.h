// What the event log says of results of remotes that were compiled again.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/file_system.h"
#include "remote/verdict.h"

namespace kache {

// One line of the log. False: it is something else.
bool parse_verification(const std::string& text, std::string& root, int64_t& at_ns, Verdict& verdict);

// Since then, below `root` ("": anywhere). An absent log is an empty one.
std::map<Verdict, uint64_t> count_verifications(FileSystem& fs, const std::string& path, int64_t since_ns, const std::string& root);

}  // namespace kache
