#include "index/log_lines.h"

#include <algorithm>

namespace kache {

Status each_line(FileSystem& fs, const std::string& path, const std::function<void(const std::string& line)>& take) {
  Result<std::string> bytes = read_file(fs, path, uint64_t{1} << 30);
  if (!bytes.ok()) {
    if (bytes.code() == ErrorCode::not_found) return Ok{};
    return std::move(bytes).error();
  }
  for (size_t start = 0; start < bytes->size();) {
    size_t end = std::min(bytes->find('\n', start), bytes->size());
    take(bytes->substr(start, end - start));
    start = end + 1;
  }
  return Ok{};
}

}  // namespace kache
