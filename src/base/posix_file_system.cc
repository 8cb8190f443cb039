#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clone.h"
#include "base/dir_type.h"
#include "base/file_system.h"

namespace kache {
namespace {

Error failed(const std::string& path) { return error_from_errno(errno, path); }

Status check(int rc, const std::string& path) {
  if (rc != 0) return failed(path);
  return Ok{};
}

int64_t to_ns(const timespec& t) { return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; }

FileStat convert(const struct stat& st) {
  FileStat out;
  out.dev = st.st_dev;
  out.ino = st.st_ino;
  out.size = static_cast<uint64_t>(st.st_size);
  out.mtime_ns = to_ns(st.st_mtim);
  out.ctime_ns = to_ns(st.st_ctim);
  out.mode = st.st_mode;
  out.nlink = static_cast<uint32_t>(st.st_nlink);
  out.uid = st.st_uid;
  out.blocks = static_cast<uint64_t>(st.st_blocks);
  return out;
}

Status write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(path);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return Ok{};
}

// An open and a close more must pay.
constexpr size_t kFewestNeighbours = 4;

// With the slash at its end.
std::string_view directory_part(std::string_view path) { return path.substr(0, path.rfind('/') + 1); }

Result<FileStat> stat_below(int dir_fd, size_t dir_size, const std::string& path) {
  struct stat st;
  const char* name = path.c_str() + dir_size;
  if (::fstatat(dir_fd, *name ? name : ".", &st, 0) != 0) return failed(path);
  return convert(st);
}

class PosixFileSystem final : public FileSystem {
 public:
  Result<FileStat> stat(const std::string& path) override {
    struct stat st;
    if (::stat(path.c_str(), &st) != 0) return failed(path);
    return convert(st);
  }

  Result<FileStat> lstat(const std::string& path) override {
    struct stat st;
    if (::lstat(path.c_str(), &st) != 0) return failed(path);
    return convert(st);
  }

  // The kernel walks to the directory once for all its files: half the time where paths are long.
  std::vector<Result<FileStat>> stat_all(const std::vector<std::string>& paths) override {
    std::vector<Result<FileStat>> found;
    found.reserve(paths.size());
    for (size_t first = 0; first < paths.size();) {
      std::string_view dir = directory_part(paths[first]);
      size_t end = first + 1;
      while (end < paths.size() && directory_part(paths[end]) == dir) ++end;
      int dir_fd = end - first >= kFewestNeighbours && !dir.empty() ? ::open(std::string(dir).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
      for (; first < end; ++first) found.push_back(dir_fd < 0 ? stat(paths[first]) : stat_below(dir_fd, dir.size(), paths[first]));
      if (dir_fd >= 0) ::close(dir_fd);
    }
    return found;
  }

  Result<std::string> read_link(const std::string& path) override {
    char buffer[4096];
    ssize_t n = ::readlink(path.c_str(), buffer, sizeof buffer);
    if (n < 0) return failed(path);
    return std::string(buffer, static_cast<size_t>(n));
  }

  Result<std::vector<DirEntry>> list(const std::string& path) override {
    DIR* dir = ::opendir(path.c_str());
    if (!dir) return failed(path);
    std::vector<DirEntry> entries;
    errno = 0;
    while (dirent* e = ::readdir(dir)) {
      std::string_view name = e->d_name;
      if (name != "." && name != "..") entries.push_back({std::string(name), type_of(e->d_type)});
      errno = 0;
    }
    int err = errno;
    ::closedir(dir);
    if (err != 0) return error_from_errno(err, path);
    return entries;
  }

  Result<int> open_read(const std::string& path) override {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return failed(path);
    return fd;
  }

  Result<FileStat> stat_handle(int handle) override {
    struct stat st;
    if (::fstat(handle, &st) != 0) return failed("open file");
    return convert(st);
  }

  Result<size_t> read_at(int handle, uint64_t offset, char* buffer, size_t size) override {
    for (;;) {
      ssize_t n = ::pread(handle, buffer, size, static_cast<off_t>(offset));
      if (n >= 0) return static_cast<size_t>(n);
      if (errno != EINTR) return failed("open file");
    }
  }

  void close(int handle) override { ::close(handle); }

  Status create(const std::string& path, std::string_view bytes, uint32_t mode) override {
    int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) return failed(path);
    return finish_new(fd, path, write_all(fd, bytes, path));
  }

  Status append(const std::string& path, std::string_view bytes) override {
    int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return failed(path);
    Status written = write_all(fd, bytes, path);
    ::close(fd);
    return written;
  }

  Status clone(int from, const std::string& to, uint32_t mode) override {
    int fd = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) return failed(to);
    return finish_new(fd, to, clone_content(from, fd, to));
  }

  Status copy(int from, const std::string& to, uint32_t mode) override {
    int fd = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) return failed(to);
    return finish_new(fd, to, copy_content(from, fd, to));
  }

  Status link(const std::string& from, const std::string& to) override {
    return check(::link(from.c_str(), to.c_str()), to);
  }
  Status symlink(const std::string& target, const std::string& path) override {
    return check(::symlink(target.c_str(), path.c_str()), path);
  }
  Status rename(const std::string& from, const std::string& to) override {
    return check(::rename(from.c_str(), to.c_str()), to);
  }
  Status unlink(const std::string& path) override { return check(::unlink(path.c_str()), path); }
  Status make_dir(const std::string& path, uint32_t mode) override {
    return check(::mkdir(path.c_str(), mode), path);
  }
  Status remove_dir(const std::string& path) override { return check(::rmdir(path.c_str()), path); }
  Status set_mode(const std::string& path, uint32_t mode) override { return check(::chmod(path.c_str(), mode), path); }

  Status set_mtime(const std::string& path, int64_t mtime_ns) override {
    timespec times[2] = {{0, UTIME_OMIT}, {mtime_ns / 1'000'000'000, mtime_ns % 1'000'000'000}};
    return check(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), path);
  }

  Status touch(const std::string& path) override {
    timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    return check(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), path);
  }

  Status sync(const std::string& path) override {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return failed(path);
    Status synced = check(::fsync(fd), path);
    ::close(fd);
    return synced;
  }

  Status sync_all(const std::string& path) override {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return failed(path);
    Status synced = check(::syncfs(fd), path);
    ::close(fd);
    return synced;
  }

  Result<int> lock(const std::string& path, LockMode mode) override {
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return failed(path);
    int how = mode == LockMode::shared ? LOCK_SH : mode == LockMode::exclusive ? LOCK_EX : LOCK_EX | LOCK_NB;
    while (::flock(fd, how) != 0) {
      if (errno == EINTR) continue;
      Error error = failed(path);
      ::close(fd);
      return error;
    }
    return fd;
  }

 private:
  // Closes a file made by this call; on failure removes it again, so that no half-written file stays.
  static Status finish_new(int fd, const std::string& path, Status status) {
    if (::close(fd) != 0 && status.ok()) status = failed(path);
    if (!status.ok()) ::unlink(path.c_str());
    return status;
  }
};

}  // namespace

FileSystem& posix_file_system() {
  static PosixFileSystem fs;
  return fs;
}

}  // namespace kache
