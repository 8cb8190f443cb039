#include "daemon/log.h"

namespace kache {

void Log::write(std::string_view level, std::string_view text) {
  if (path_.empty()) return;
  std::string line = format_time(clock_.wall_ns());
  line += level;
  // What a remote says may hold anything.
  for (char c : text) line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  line += '\n';
  std::lock_guard lock(mutex_);
  Result<FileStat> stat = fs_.stat(path_);
  if (stat.ok() && stat->size > kLargest) (void)fs_.rename(path_, path_ + ".old");
  (void)fs_.append(path_, line);
}

}  // namespace kache
