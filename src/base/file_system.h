// The file system as kache uses it: the calls the store, the keys and the restore need, and no more.
//
// A seam: `PosixFileSystem` is the real one; tests use `MemFileSystem` (time ticks by hand, the power can be cut) and
// `FaultFileSystem` (the n-th change fails, or the process "dies" there), in tests/support. Paths are byte strings and are
// not required to be UTF-8. Times are nanoseconds since the epoch. All calls may be made from several threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kache {

struct FileStat {
  uint64_t dev = 0;
  uint64_t ino = 0;
  uint64_t size = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  uint32_t mode = 0;  // as st_mode: type and permission bits
  uint32_t nlink = 0;
  uint32_t uid = 0;
  uint64_t blocks = 0;  // of 512 bytes, as the disk holds them

  bool is_regular() const { return (mode & 0170000) == 0100000; }
  bool is_dir() const { return (mode & 0170000) == 0040000; }
  bool is_symlink() const { return (mode & 0170000) == 0120000; }
  bool is_executable() const { return mode & 0111; }
};

// The same file in the same state, as far as stat can tell.
inline bool same_identity(const FileStat& a, const FileStat& b) {
  return a.dev == b.dev && a.ino == b.ino && a.size == b.size && a.mtime_ns == b.mtime_ns && a.ctime_ns == b.ctime_ns;
}

struct DirEntry {
  std::string name;
  enum Type : uint8_t { unknown, regular, dir, symlink, other } type = unknown;
};

enum class LockMode : uint8_t { shared, exclusive, try_exclusive };

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<FileStat> stat(const std::string& path) = 0;   // follows symlinks
  virtual Result<FileStat> lstat(const std::string& path) = 0;  // does not
  // stat of each path. Neighbours in one directory cost less together than one by one.
  virtual std::vector<Result<FileStat>> stat_all(const std::vector<std::string>& paths) {
    std::vector<Result<FileStat>> found;
    found.reserve(paths.size());
    for (const std::string& path : paths) found.push_back(stat(path));
    return found;
  }
  virtual Result<std::string> read_link(const std::string& path) = 0;
  // Names without "." and "..", in no particular order.
  virtual Result<std::vector<DirEntry>> list(const std::string& path) = 0;

  // Handles are closed by the caller; `File` below does it. An open handle keeps its bytes readable after an unlink.
  virtual Result<int> open_read(const std::string& path) = 0;
  virtual Result<FileStat> stat_handle(int handle) = 0;
  // Reads up to `size` bytes at `offset`; 0 means end of file.
  virtual Result<size_t> read_at(int handle, uint64_t offset, char* buffer, size_t size) = 0;
  virtual void close(int handle) = 0;

  // Creates `path` (must not exist) with exactly these bytes. On failure nothing is left behind.
  virtual Status create(const std::string& path, std::string_view bytes, uint32_t mode) = 0;
  // Appends in one write, creating the file with mode 0600 where absent.
  virtual Status append(const std::string& path, std::string_view bytes) = 0;
  // New file `to` sharing the storage of the open `from`; `unsupported` where the file system can not.
  virtual Status clone(int from, const std::string& to, uint32_t mode) = 0;
  // New file `to` with the bytes of the open `from`. On failure nothing is left behind.
  virtual Status copy(int from, const std::string& to, uint32_t mode) = 0;
  virtual Status link(const std::string& from, const std::string& to) = 0;
  virtual Status symlink(const std::string& target, const std::string& path) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status unlink(const std::string& path) = 0;
  virtual Status make_dir(const std::string& path, uint32_t mode) = 0;
  virtual Status remove_dir(const std::string& path) = 0;
  virtual Status set_mode(const std::string& path, uint32_t mode) = 0;
  virtual Status set_mtime(const std::string& path, int64_t mtime_ns) = 0;
  // mtime and atime = the kernel's file-write clock (never ahead of what a write would get).
  virtual Status touch(const std::string& path) = 0;
  // What `path` (a file or a directory) holds is on the disk when this returns.
  virtual Status sync(const std::string& path) = 0;
  // The same for everything on the file system of `path`, whoever wrote it.
  virtual Status sync_all(const std::string& path) = 0;

  // flock on `path`, which is created where absent. Released by close() or by the death of the process.
  // try_exclusive returns `busy` instead of waiting.
  virtual Result<int> lock(const std::string& path, LockMode mode) = 0;
};

// An open handle that closes itself. Move-only.
class File {
 public:
  File() = default;
  File(FileSystem& fs, int handle) : fs_(&fs), handle_(handle) {}
  File(File&& other) noexcept : fs_(other.fs_), handle_(other.release()) {}
  File& operator=(File&& other) noexcept {
    if (this != &other) {
      reset();
      fs_ = other.fs_;
      handle_ = other.release();
    }
    return *this;
  }
  ~File() { reset(); }

  bool is_open() const { return handle_ >= 0; }
  int handle() const { return handle_; }
  int release() {
    int handle = handle_;
    handle_ = -1;
    return handle;
  }
  void reset() {
    if (handle_ >= 0) fs_->close(handle_);
    handle_ = -1;
  }

 private:
  FileSystem* fs_ = nullptr;
  int handle_ = -1;
};

Result<File> open_file(FileSystem& fs, const std::string& path);
Result<File> lock_file(FileSystem& fs, const std::string& path, LockMode mode);

// The whole file; `too_large` when it holds more than `limit` bytes.
Result<std::string> read_file(FileSystem& fs, const std::string& path, uint64_t limit);
Result<std::string> read_handle(FileSystem& fs, int handle, uint64_t limit);

// Creates `path` and what is missing above it, each with `mode`. Existing directories are fine.
Status make_dirs(FileSystem& fs, const std::string& path, uint32_t mode);

// Writes beside `path` under a temporary name and renames over it. Readers see the old bytes or the new ones.
Status replace_file(FileSystem& fs, const std::string& path, std::string_view bytes, uint32_t mode);

// "<dir of path>/.<stem>.<pid>.<counter>.tmp": unique within the machine, and recognisable as ours when left behind.
std::string temporary_beside(const std::string& path);
bool is_temporary_name(std::string_view name);

FileSystem& posix_file_system();

}  // namespace kache
