// Recording: the record of one compile as the recorder wrote it, event by event. What it means is collect.h's business.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"

namespace kache {

enum class EventKind : uint16_t {  // values as in preload/record_format.h, which says what each means
  hello = 1, bye, open_read, open_write, stat, read_link, real_path, list_dir, get_env, exec, spawn, map, connect,
  rename, link, symlink, unlink, make_dir, shell,
};

// Views point into the Recording.
struct RecordEvent {
  EventKind kind;
  uint16_t flags;     // KACHE_REC_*
  uint32_t pid;
  int32_t result;     // 0 or errno
  int64_t clock_ns;   // file clock when the call began
  uint64_t aux;
  FileStat identity;  // dev, ino, size, mtime, ctime, mode; zero where there is none
  std::string_view a, b;
};

// A file into which one compile is recorded. Created empty before the compile, read after it, removed with the object.
class RecordFile {
 public:
  // In `dir`, under a unique name.
  static Result<RecordFile> create(const std::string& dir);
  RecordFile(RecordFile&&) noexcept;
  RecordFile& operator=(RecordFile&&) noexcept;
  ~RecordFile();

  const std::string& path() const { return path_; }

  // All events in the order of their appending. `corrupt` when the record overflowed, is torn or foreign: then it
  // proves nothing. Views stay valid until the object dies.
  Result<std::vector<RecordEvent>> read();

 private:
  RecordFile() = default;
  std::string path_;
  void* map_ = nullptr;
  size_t map_size_ = 0;
};

// The parser behind read(), over untrusted bytes.
Result<std::vector<RecordEvent>> parse_record(std::string_view bytes);

}  // namespace kache
