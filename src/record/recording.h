// Recording: the record of one compile as the recorder wrote it, event by event. What it means is collect.h's business.
//
// The format, its kinds and flags are stated in preload/record_format.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/file_system.h"
#include "base/result.h"

namespace kache {

enum class EventKind : uint16_t {  // values as in preload/record_format.h, which says what each means
  hello = 1, bye, open_read, open_write, stat, read_link, real_path, list_dir, get_env, exec, spawn, map, connect,
  rename, link, symlink, unlink, make_dir, shell,
};

// Views point into the RecordFile (or, from parse_record, into its argument).
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

inline constexpr uint64_t kRecordCapacity = 64u << 20;

// A file into which one compile is recorded. Created empty before the compile, read after it, removed with the object.
class RecordFile {
 public:
  // In `dir`, under a unique name. REQUIRES: a capacity that at least holds the header. Costs 40 us on ext4.
  static Result<RecordFile> create(const std::string& dir, uint64_t capacity = kRecordCapacity);
  RecordFile(RecordFile&&) noexcept;
  RecordFile& operator=(RecordFile&&) noexcept;
  ~RecordFile();

  const std::string& path() const { return path_; }

  // All events in the order of their appending. `corrupt` when the record overflowed, is torn or foreign: then it
  // proves nothing. Views stay valid until the next read or until the object dies, also when it is moved.
  Result<std::vector<RecordEvent>> read();

 private:
  RecordFile() = default;
  void remove();
  std::string path_;
  std::vector<char> bytes_;
};

// The parser behind read(), over untrusted bytes: the file, or as much of it as its header says is written.
Result<std::vector<RecordEvent>> parse_record(std::string_view bytes);

// Makes programs that are started with `env` write to the record at `record_path`: `library` is libkache-record.so.
// A user's own LD_PRELOAD stays, behind ours. `invalid` where LD_PRELOAD can not express the library's path.
Status add_recorder(Env& env, const std::string& library, const std::string& record_path);

}  // namespace kache
