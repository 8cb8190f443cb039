// Wraps a file system and lets it fail. Calls that change something are counted from 1; `plan` says what happens at one of
// them. A test runs the code under test once to learn the count and then once for every prefix.
#pragma once

#include <string>

#include "base/file_system.h"

namespace kache {

struct FaultPlan {
  enum Kind : uint8_t {
    none,
    fail,       // operation `at` returns `err` and changes nothing; everything after it works
    fail_from,  // `at` and every later operation that needs disk space return `err`; removing still works
    kill,       // the process dies before operation `at`: nothing happens any more, whatever is asked
    torn,       // the process dies within operation `at`: half of the bytes it was to write are there
  } kind = none;
  uint64_t at = 0;
  int err = 0;
};

class FaultFileSystem final : public FileSystem {
 public:
  FaultFileSystem(FileSystem& inner, FaultPlan plan) : inner_(inner), plan_(plan) {}

  uint64_t mutations() const { return mutations_; }
  // The plan came into force: an operation with its number was asked for.
  bool fired() const { return fired_; }
  // What was asked of the operation with the plan's number: "rename /a".
  const std::string& victim() const { return victim_; }

  Result<FileStat> stat(const std::string& path) override;
  Result<FileStat> lstat(const std::string& path) override;
  Result<std::string> read_link(const std::string& path) override;
  Result<std::vector<DirEntry>> list(const std::string& path) override;
  Result<int> open_read(const std::string& path) override;
  Result<FileStat> stat_handle(int handle) override;
  Result<size_t> read_at(int handle, uint64_t offset, char* buffer, size_t size) override;
  void close(int handle) override;  // the kernel closes for the dead too
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
  enum class Needs : uint8_t { space, nothing };
  template <typename Apply, typename Tear>
  Status change(const char* what, const std::string& path, Needs needs, Apply apply, Tear tear);
  template <typename Apply>
  Status change(const char* what, const std::string& path, Needs needs, Apply apply);
  template <typename T, typename Ask>
  Result<T> ask(Ask ask);

  FileSystem& inner_;
  FaultPlan plan_;
  uint64_t mutations_ = 0;
  bool dead_ = false, fired_ = false;
  std::string victim_;
};

}  // namespace kache
