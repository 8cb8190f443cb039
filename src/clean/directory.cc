#include "clean/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/dir_type.h"
#include "base/path.h"

namespace kache {
namespace {

// Some file systems do not say it in the listing.
DirEntry::Type type_of_mode(mode_t mode) {
  return S_ISREG(mode) ? DirEntry::regular : S_ISDIR(mode) ? DirEntry::dir : S_ISLNK(mode) ? DirEntry::symlink : DirEntry::other;
}

}  // namespace

Result<Directory> Directory::open_at(int parent, const std::string& name, const std::string& path) {
  int fd = ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return error_from_errno(errno, path);
  DIR* stream = ::fdopendir(fd);
  if (!stream) {
    int err = errno;
    ::close(fd);
    return error_from_errno(err, path);
  }
  return Directory(stream, path);
}

Result<Directory> Directory::open(const std::string& path) { return open_at(AT_FDCWD, path, path); }

std::string Directory::path_of(const std::string& name) const { return join_path(path_, name); }

Result<std::vector<DirEntry>> Directory::list() {
  std::vector<DirEntry> entries;
  ::rewinddir(stream_);
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream_);
    if (!entry && errno != 0) return error_from_errno(errno, path_);
    if (!entry) return entries;
    if (::strcmp(entry->d_name, ".") == 0 || ::strcmp(entry->d_name, "..") == 0) continue;
    DirEntry::Type type = type_of(entry->d_type);
    if (type == DirEntry::unknown) {
      Result<struct stat> st = stat_of(entry->d_name);
      if (st.ok()) type = type_of_mode(st->st_mode);
    }
    entries.push_back({entry->d_name, type});
  }
}

Result<struct stat> Directory::stat() const {
  struct stat st;
  if (::fstat(fd(), &st) != 0) return error_from_errno(errno, path_);
  return st;
}

Result<struct stat> Directory::stat_of(const std::string& name) const {
  struct stat st;
  if (::fstatat(fd(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return error_from_errno(errno, path_of(name));
  return st;
}

std::string Directory::read(const std::string& name, size_t most) const {
  int file = ::openat(fd(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return {};
  struct stat st;
  std::string bytes;
  if (::fstat(file, &st) == 0 && S_ISREG(st.st_mode)) {
    bytes.resize(most);
    size_t have = 0;
    for (ssize_t got; have < most && (got = ::pread(file, bytes.data() + have, most - have, static_cast<off_t>(have))) > 0;) {
      have += static_cast<size_t>(got);
    }
    bytes.resize(have);
  }
  ::close(file);
  return bytes;
}

}  // namespace kache
