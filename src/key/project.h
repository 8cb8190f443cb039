// Project: the directory that a compile belongs to as a whole, for compilers that are not told (rustc is, by cargo).
//
// Only sharing depends on it: paths below it are compared without it. Looks for what marks the top of a checkout, and makes
// do with what the sources and the working directory have in common.
#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"

namespace kache {

// `cwd` and `source_dir` are absolute; no directory of `limits` (the home, the temporary directory) nor anything above one of
// them is ever a project. Never empty: in the end it is `cwd`.
std::string find_project(FileSystem& fs, const std::string& cwd, const std::string& source_dir,
                         const std::vector<std::string>& limits);

// How to get from one directory to another: "../build". Empty where they have nothing in common but the root.
std::string relative_path(std::string_view from, std::string_view to);

}  // namespace kache
