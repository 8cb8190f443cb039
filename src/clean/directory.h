// An open directory. What is in it is reached through its descriptor and never through its path, so that nobody who swaps
// a directory above for a link can lead us elsewhere.
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

#include "base/file_system.h"

namespace kache {

class Directory {
 public:
  // `path` is what messages call it. A symlink is no directory.
  static Result<Directory> open_at(int parent, const std::string& name, const std::string& path);
  static Result<Directory> open(const std::string& path);
  Directory(Directory&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)), path_(std::move(other.path_)) {}
  Directory& operator=(Directory&& other) noexcept {
    std::swap(stream_, other.stream_);
    std::swap(path_, other.path_);
    return *this;
  }
  ~Directory() {
    if (stream_) ::closedir(stream_);
  }

  int fd() const { return ::dirfd(stream_); }
  const std::string& path() const { return path_; }
  std::string path_of(const std::string& name) const;

  Result<std::vector<DirEntry>> list();
  Result<struct stat> stat() const;
  Result<struct stat> stat_of(const std::string& name) const;  // does not follow symlinks
  // The beginning of a regular file; "" when it can not be read.
  std::string read(const std::string& name, size_t most) const;

 private:
  Directory(DIR* stream, std::string path) : stream_(stream), path_(std::move(path)) {}
  DIR* stream_ = nullptr;
  std::string path_;
};

inline int64_t mtime_ns(const struct stat& st) { return int64_t{st.st_mtim.tv_sec} * 1'000'000'000 + st.st_mtim.tv_nsec; }

}  // namespace kache
