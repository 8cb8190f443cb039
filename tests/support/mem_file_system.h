// A file system in memory: inodes with hard links, handles that survive an unlink, symlinks, several devices, flock, times
// of a ManualClock, and what a power cut does to content that nobody has synced.
//
// Paths must be absolute. Permission bits are kept and not enforced. Handles are numbers that no descriptor of the process
// has, so that code which hands one to the kernel (mmap) gets an error and not somebody's file.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/file_system.h"
#include "tests/support/manual_clock.h"

namespace kache {

// What a file holds after the power cut when its content had not reached the disk.
enum class Loss : uint8_t { emptied, truncated, zeroed, garbage };

class MemFileSystem final : public FileSystem {
 public:
  explicit MemFileSystem(ManualClock& clock);

  // A new directory on a device of its own: no links, clones or renames into it or out of it.
  void mount(const std::string& path);
  bool reflinks = false;  // clone works within one device

  // Names stay as they are (a journal keeps them in order), locks and handles are gone, and the content of every file that
  // no sync has covered since it was last written is lost. Times and, but for the first two losses, sizes are kept.
  void power_cut(Loss loss);

  // What is on "disk", for asserting: every path below `dir` with its bytes (directories are left out).
  std::map<std::string, std::string> files_below(const std::string& dir);
  // Writes into the inode, as a program would that has the file open: mtime and ctime move.
  void overwrite(const std::string& path, std::string_view bytes);

  Result<FileStat> stat(const std::string& path) override;
  Result<FileStat> lstat(const std::string& path) override;
  Result<std::string> read_link(const std::string& path) override;
  Result<std::vector<DirEntry>> list(const std::string& path) override;
  Result<int> open_read(const std::string& path) override;
  Result<FileStat> stat_handle(int handle) override;
  Result<size_t> read_at(int handle, uint64_t offset, char* buffer, size_t size) override;
  void close(int handle) override;
  Status create(const std::string& path, std::string_view bytes, uint32_t mode) override;
  Status append(const std::string& path, std::string_view bytes) override;
  Status clone(int from, const std::string& to, uint32_t mode) override;
  Status copy(int from, const std::string& to, uint32_t mode) override;
  Status link(const std::string& from, const std::string& to) override;
  Status symlink(const std::string& target, const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status unlink(const std::string& path) override;
  Status make_dir(const std::string& path, uint32_t mode) override;
  Status remove_dir(const std::string& path) override;
  Status set_mode(const std::string& path, uint32_t mode) override;
  Status set_mtime(const std::string& path, int64_t mtime_ns) override;
  Status touch(const std::string& path) override;
  Status sync(const std::string& path) override;
  Status sync_all(const std::string& path) override;
  Result<int> lock(const std::string& path, LockMode mode) override;

 private:
  struct Inode;
  using InodePtr = std::shared_ptr<Inode>;
  struct Inode {
    uint64_t dev = 0, ino = 0;
    uint32_t mode = 0, links = 0;
    int64_t mtime_ns = 0, ctime_ns = 0;
    std::string bytes;  // of a file; the target of a symlink
    bool is_synced = true;
    std::map<std::string, InodePtr> names;  // of a directory
    int shared_locks = 0;
    bool exclusive_lock = false;

    FileStat stat() const;
    bool is(uint32_t type) const { return (mode & 0170000) == type; }
  };
  struct Handle {
    InodePtr inode;
    enum { none, shared, exclusive } lock = none;
  };
  // Where a path leads: the directory, the last name, and what bears it (null: nothing yet).
  struct Place {
    int err = 0;
    InodePtr dir;
    std::string name;
    InodePtr node;
  };

  Place walk(const std::string& path, bool follow_last) const;
  Result<InodePtr> find(const std::string& path, bool follow_last) const;
  Result<InodePtr> add(const std::string& path, uint32_t mode, uint64_t dev = 0);
  Status add_content(int from, const std::string& to, uint32_t mode);
  Status remove(const std::string& path, bool is_dir);
  InodePtr handle_inode(int handle) const;
  int new_handle(InodePtr inode);
  void detach(const Place& place);
  using Visit = std::function<void(const std::string& name, const InodePtr& node)>;
  static void each_inode(const InodePtr& dir, const Visit& visit);

  ManualClock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable unlocked_;
  InodePtr root_;
  std::map<int, Handle> handles_;
  uint64_t next_ino_ = 2, next_dev_ = 1;
  int next_handle_ = 1 << 24;
};

}  // namespace kache
