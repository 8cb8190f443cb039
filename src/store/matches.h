// Which files below a directory match a list of patterns: asked when `extra_inputs` were declared, and asked again later.
#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"

namespace kache {

// Relative to `dir`, sorted. Directories called target and .git are not entered, symlinks to directories neither.
// `too_large` when the patterns match more than a hundred thousand files.
Result<std::vector<std::string>> find_matches(FileSystem& fs, const std::string& dir,
                                              const std::vector<std::string>& patterns);

// As the path of an input: "<dir>/" and each pattern behind a zero byte.
std::string matches_question(const std::string& dir, const std::vector<std::string>& patterns);
bool split_matches_question(const std::string& question, std::string& dir, std::vector<std::string>& patterns);

}  // namespace kache
