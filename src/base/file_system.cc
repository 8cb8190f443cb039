#include "base/file_system.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "base/path.h"

namespace kache {

Result<File> open_file(FileSystem& fs, const std::string& path) { return File(fs, KACHE_TRY(fs.open_read(path))); }

Result<File> lock_file(FileSystem& fs, const std::string& path, LockMode mode) {
  return File(fs, KACHE_TRY(fs.lock(path, mode)));
}

Result<std::string> read_handle(FileSystem& fs, int handle, uint64_t limit) {
  FileStat stat = KACHE_TRY(fs.stat_handle(handle));
  if (stat.size > limit) return Error{ErrorCode::too_large, 0, "file is larger than expected"};
  // Files of procfs say size 0 and hold something all the same: those are read until they end.
  constexpr size_t kChunk = 64 << 10;
  bool sized = stat.size > 0;
  std::string out(sized ? stat.size : std::min<uint64_t>(kChunk, limit), '\0');
  size_t done = 0;
  while (done < out.size()) {
    size_t got = KACHE_TRY(fs.read_at(handle, done, out.data() + done, out.size() - done));
    if (got == 0) break;
    done += got;
    if (!sized && done == out.size()) out.resize(std::min<uint64_t>(out.size() + kChunk, limit));
  }
  out.resize(done);
  return out;
}

Result<std::string> read_file(FileSystem& fs, const std::string& path, uint64_t limit) {
  File file = KACHE_TRY(open_file(fs, path));
  Result<std::string> bytes = read_handle(fs, file.handle(), limit);
  if (!bytes) return std::move(bytes).error().in(path);
  return bytes;
}

Status make_dirs(FileSystem& fs, const std::string& path, uint32_t mode) {
  Status made = fs.make_dir(path, mode);
  if (made.ok() || made.code() == ErrorCode::exists) return Ok{};
  std::string parent(dir_name(path));
  if (made.code() != ErrorCode::not_found || parent.empty() || parent == path) return made;
  KACHE_TRY(make_dirs(fs, parent, mode));
  made = fs.make_dir(path, mode);
  if (!made.ok() && made.code() == ErrorCode::exists) return Ok{};
  return made;
}

Status replace_file(FileSystem& fs, const std::string& path, std::string_view bytes, uint32_t mode) {
  std::string temporary = temporary_beside(path);
  KACHE_TRY(fs.create(temporary, bytes, mode));
  Status renamed = fs.rename(temporary, path);
  if (!renamed.ok()) (void)fs.unlink(temporary);
  return renamed;
}

std::string temporary_beside(const std::string& path) {
  static std::atomic<uint32_t> counter{0};
  std::string_view dir = dir_name(path);
  std::string name = "." + std::string(base_name(path)) + "." + std::to_string(getpid()) + "." +
                     std::to_string(counter.fetch_add(1)) + ".tmp";
  return join_path(dir, name);
}

bool is_temporary_name(std::string_view name) { return name.starts_with(".") && name.ends_with(".tmp"); }

}  // namespace kache
