#include "tests/support/fault_file_system.h"

#include <errno.h>

namespace kache {

static Error dead() { return error_from_errno(EIO, "the process is dead"); }

template <typename Apply, typename Tear>
Status FaultFileSystem::change(const char* what, const std::string& path, Needs needs, Apply apply, Tear tear) {
  if (dead_) return dead();
  ++mutations_;
  if (plan_.kind == FaultPlan::none || mutations_ < plan_.at) return apply();
  if (mutations_ == plan_.at) {
    fired_ = true;
    victim_ = std::string(what) + " " + path;
  }
  switch (plan_.kind) {
    case FaultPlan::none: break;
    case FaultPlan::fail:
      if (mutations_ == plan_.at) return error_from_errno(plan_.err, path);
      break;
    case FaultPlan::fail_from:
      if (needs == Needs::space) return error_from_errno(plan_.err, path);
      break;
    case FaultPlan::torn: tear(); [[fallthrough]];
    case FaultPlan::kill: dead_ = true; return dead();
  }
  return apply();
}

template <typename Apply>
Status FaultFileSystem::change(const char* what, const std::string& path, Needs needs, Apply apply) {
  return change(what, path, needs, apply, [] {});
}

template <typename T, typename Ask>
Result<T> FaultFileSystem::ask(Ask ask) {
  if (dead_) return dead();
  return ask();
}

Result<FileStat> FaultFileSystem::stat(const std::string& path) {
  return ask<FileStat>([&] { return inner_.stat(path); });
}
Result<FileStat> FaultFileSystem::lstat(const std::string& path) {
  return ask<FileStat>([&] { return inner_.lstat(path); });
}
Result<std::string> FaultFileSystem::read_link(const std::string& path) {
  return ask<std::string>([&] { return inner_.read_link(path); });
}
Result<std::vector<DirEntry>> FaultFileSystem::list(const std::string& path) {
  return ask<std::vector<DirEntry>>([&] { return inner_.list(path); });
}
Result<int> FaultFileSystem::open_read(const std::string& path) {
  return ask<int>([&] { return inner_.open_read(path); });
}
Result<FileStat> FaultFileSystem::stat_handle(int handle) {
  return ask<FileStat>([&] { return inner_.stat_handle(handle); });
}
Result<size_t> FaultFileSystem::read_at(int handle, uint64_t offset, char* buffer, size_t size) {
  return ask<size_t>([&] { return inner_.read_at(handle, offset, buffer, size); });
}
void FaultFileSystem::close(int handle) { inner_.close(handle); }

Status FaultFileSystem::create(const std::string& path, std::string_view bytes, uint32_t mode) {
  return change("create", path, Needs::space, [&] { return inner_.create(path, bytes, mode); },
                [&] { (void)inner_.create(path, bytes.substr(0, bytes.size() / 2), mode); });
}

Status FaultFileSystem::append(const std::string& path, std::string_view bytes) {
  return change("append", path, Needs::space, [&] { return inner_.append(path, bytes); },
                [&] { (void)inner_.append(path, bytes.substr(0, bytes.size() / 2)); });
}

Status FaultFileSystem::clone(int from, const std::string& to, uint32_t mode) {
  return change("clone", to, Needs::space, [&] { return inner_.clone(from, to, mode); },
                [&] { (void)inner_.create(to, "", mode); });  // the empty file that was to be the clone
}

Status FaultFileSystem::copy(int from, const std::string& to, uint32_t mode) {
  return change("copy", to, Needs::space, [&] { return inner_.copy(from, to, mode); }, [&] {
    Result<std::string> bytes = read_handle(inner_, from, uint64_t{1} << 30);
    if (bytes.ok()) (void)inner_.create(to, std::string_view(*bytes).substr(0, bytes->size() / 2), mode);
  });
}

Status FaultFileSystem::link(const std::string& from, const std::string& to) {
  return change("link", to, Needs::space, [&] { return inner_.link(from, to); });
}
Status FaultFileSystem::symlink(const std::string& target, const std::string& path) {
  return change("symlink", path, Needs::space, [&] { return inner_.symlink(target, path); });
}
Status FaultFileSystem::rename(const std::string& from, const std::string& to) {
  return change("rename", to, Needs::nothing, [&] { return inner_.rename(from, to); });
}
Status FaultFileSystem::unlink(const std::string& path) {
  return change("unlink", path, Needs::nothing, [&] { return inner_.unlink(path); });
}
Status FaultFileSystem::make_dir(const std::string& path, uint32_t mode) {
  return change("make_dir", path, Needs::space, [&] { return inner_.make_dir(path, mode); });
}
Status FaultFileSystem::remove_dir(const std::string& path) {
  return change("remove_dir", path, Needs::nothing, [&] { return inner_.remove_dir(path); });
}
Status FaultFileSystem::set_mode(const std::string& path, uint32_t mode) {
  return change("set_mode", path, Needs::nothing, [&] { return inner_.set_mode(path, mode); });
}
Status FaultFileSystem::set_mtime(const std::string& path, int64_t mtime_ns) {
  return change("set_mtime", path, Needs::nothing, [&] { return inner_.set_mtime(path, mtime_ns); });
}
Status FaultFileSystem::touch(const std::string& path) {
  return change("touch", path, Needs::nothing, [&] { return inner_.touch(path); });
}
Status FaultFileSystem::sync(const std::string& path) {
  return change("sync", path, Needs::nothing, [&] { return inner_.sync(path); });
}
Status FaultFileSystem::sync_all(const std::string& path) {
  return change("sync_all", path, Needs::nothing, [&] { return inner_.sync_all(path); });
}

Result<int> FaultFileSystem::lock(const std::string& path, LockMode mode) {
  int handle = -1;
  Status locked = change("lock", path, Needs::space, [&]() -> Status {
    handle = KACHE_TRY(inner_.lock(path, mode));
    return Ok{};
  });
  if (!locked.ok()) return std::move(locked).error();
  return handle;
}

}  // namespace kache
