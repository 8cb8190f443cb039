#include "clean/remove.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <optional>

#include "base/path.h"
#include "clean/directory.h"

namespace kache {
namespace {

// One descriptor for each level of the tree.
void allow_many_files() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

class Removal {
 public:
  explicit Removal(uint64_t dev) : dev_(dev) {}

  // Everything in it, but not itself.
  void empty(Directory& dir) {
    Result<std::vector<DirEntry>> entries = dir.list();
    if (!entries.ok()) return note(entries.error());
    for (const DirEntry& entry : *entries) {
      if (entry.type == DirEntry::dir && !empty_below(dir, entry.name)) continue;
      unlink(dir, entry.name, entry.type == DirEntry::dir ? AT_REMOVEDIR : 0);
    }
  }

  void unlink(Directory& dir, const std::string& name, int flags) {
    if (::unlinkat(dir.fd(), name.c_str(), flags) == 0 || errno == ENOENT) return;
    // A directory that somebody made read-only is still ours to empty.
    bool is_ours = errno == EACCES && ::fchmod(dir.fd(), 0700) == 0;
    if (is_ours && (::unlinkat(dir.fd(), name.c_str(), flags) == 0 || errno == ENOENT)) return;
    note(error_from_errno(errno, dir.path_of(name)));
  }

  const std::optional<Error>& first_error() const { return first_error_; }

 private:
  bool empty_below(Directory& dir, const std::string& name) {
    std::string path = dir.path_of(name);
    Result<Directory> below = Directory::open_at(dir.fd(), name, path);
    if (!below.ok() && below.code() == ErrorCode::denied && ::fchmodat(dir.fd(), name.c_str(), 0700, AT_SYMLINK_NOFOLLOW) == 0) {
      below = Directory::open_at(dir.fd(), name, path);
    }
    if (!below.ok()) return note(below.error()), false;
    Result<struct stat> st = below->stat();
    if (!st.ok() || st->st_dev != dev_) {
      return note({ErrorCode::invalid, 0, path + ": another file system is mounted here"}), false;
    }
    empty(*below);
    return true;
  }

  void note(Error error) {
    if (!first_error_) first_error_ = std::move(error);
  }

  uint64_t dev_;
  std::optional<Error> first_error_;
};

// Held until all is gone. cargo waits for it, and makes the directory anew.
class CargoLocks {
 public:
  ~CargoLocks() {
    for (int fd : held_) ::close(fd);
  }
  bool take(int dir, const std::string& name) {
    int fd = ::openat(dir, name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return true;
    held_.push_back(fd);
    return ::flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
  }

 private:
  std::vector<int> held_;
};

}  // namespace

Status remove_build_dir(const BuildDir& row) {
  if (!row.is_removable()) return Error{ErrorCode::denied, 0, row.obstacle};
  allow_many_files();
  Directory above = KACHE_TRY(Directory::open(std::string(dir_name(row.path))));
  std::string name(base_name(row.path));
  Directory dir = KACHE_TRY(Directory::open_at(above.fd(), name, row.path));
  struct stat st = KACHE_TRY(dir.stat());
  if (st.st_dev != row.dev || st.st_ino != row.ino) {
    return Error{ErrorCode::invalid, 0, "another directory than the one that was looked at; it was left alone"};
  }
  CargoLocks locks;
  for (const std::string& lock : row.locks) {
    if (!locks.take(dir.fd(), lock)) return Error{ErrorCode::busy, 0, "cargo is building in it"};
  }
  // Beyond this point everything is reached from `dir`, which is the one that was chosen.
  Removal removal(row.dev);
  removal.empty(dir);
  if (removal.first_error()) return *removal.first_error();
  // By name again, but only an empty directory can go this way.
  if (::unlinkat(above.fd(), name.c_str(), AT_REMOVEDIR) != 0) return error_from_errno(errno, row.path);
  return Ok{};
}

}  // namespace kache
