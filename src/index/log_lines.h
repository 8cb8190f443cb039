// The lines of a log, oldest first.
#pragma once

#include <functional>
#include <string>

#include "base/file_system.h"

namespace kache {

// An absent log has none. A piece at its end without a line feed counts as a line.
Status each_line(FileSystem& fs, const std::string& path, const std::function<void(const std::string& line)>& take);

}  // namespace kache
