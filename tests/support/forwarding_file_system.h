// A file system that hands every call to another one: a test overrides the one call that it is about.
#pragma once

#include <string>

#include "base/file_system.h"

namespace kache {

class ForwardingFileSystem : public FileSystem {
 public:
  explicit ForwardingFileSystem(FileSystem& inner) : inner_(inner) {}

  Result<FileStat> stat(const std::string& p) override { return inner_.stat(p); }
  Result<FileStat> lstat(const std::string& p) override { return inner_.lstat(p); }
  Result<std::string> read_link(const std::string& p) override { return inner_.read_link(p); }
  Result<std::vector<DirEntry>> list(const std::string& p) override { return inner_.list(p); }
  Result<int> open_read(const std::string& p) override { return inner_.open_read(p); }
  Result<FileStat> stat_handle(int h) override { return inner_.stat_handle(h); }
  Result<size_t> read_at(int h, uint64_t o, char* b, size_t s) override { return inner_.read_at(h, o, b, s); }
  void close(int h) override { inner_.close(h); }
  Status create(const std::string& p, std::string_view b, uint32_t m) override { return inner_.create(p, b, m); }
  Status append(const std::string& p, std::string_view b) override { return inner_.append(p, b); }
  Status clone(int f, const std::string& t, uint32_t m) override { return inner_.clone(f, t, m); }
  Status copy(int f, const std::string& t, uint32_t m) override { return inner_.copy(f, t, m); }
  Status link(const std::string& f, const std::string& t) override { return inner_.link(f, t); }
  Status symlink(const std::string& t, const std::string& p) override { return inner_.symlink(t, p); }
  Status rename(const std::string& f, const std::string& t) override { return inner_.rename(f, t); }
  Status unlink(const std::string& p) override { return inner_.unlink(p); }
  Status make_dir(const std::string& p, uint32_t m) override { return inner_.make_dir(p, m); }
  Status remove_dir(const std::string& p) override { return inner_.remove_dir(p); }
  Status set_mode(const std::string& p, uint32_t m) override { return inner_.set_mode(p, m); }
  Status set_mtime(const std::string& p, int64_t t) override { return inner_.set_mtime(p, t); }
  Status touch(const std::string& p) override { return inner_.touch(p); }
  Status sync(const std::string& p) override { return inner_.sync(p); }
  Status sync_all(const std::string& p) override { return inner_.sync_all(p); }
  Result<int> lock(const std::string& p, LockMode m) override { return inner_.lock(p, m); }

 protected:
  FileSystem& inner_;
};

}  // namespace kache
