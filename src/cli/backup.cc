#include "cli/command.h"

namespace kache {

Result<std::string> keep_backup(const CommandContext& context, const std::string& path, std::string_view bytes, uint32_t mode) {
  std::string time = format_time(context.clock.wall_ns());  // "2026-08-22T10:11:12…"
  std::string digits;
  for (char c : time.substr(0, 19)) {
    if (c == 'T') digits += '-';
    else if (c != '-' && c != ':') digits += c;
  }
  std::string first = path + ".kache-backup." + digits, name = first;
  for (int n = 2; context.fs.lstat(name).ok(); ++n) name = first + "." + std::to_string(n);
  Status kept = replace_file(context.fs, name, bytes, mode);
  if (!kept.ok()) return std::move(kept).error();
  return name;
}

}  // namespace kache
