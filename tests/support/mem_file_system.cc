#include "tests/support/mem_file_system.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <deque>

#include "base/path.h"

namespace kache {
namespace {

constexpr uint32_t kUmask = 022;

std::deque<std::string> components(std::string_view path) {
  std::deque<std::string> out;
  while (!path.empty()) {
    size_t slash = path.find('/');
    std::string_view name = path.substr(0, slash);
    if (!name.empty() && name != ".") out.emplace_back(name);
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return out;
}

}  // namespace

FileStat MemFileSystem::Inode::stat() const {
  FileStat out;
  out.dev = dev;
  out.ino = ino;
  out.size = bytes.size();
  out.mtime_ns = mtime_ns;
  out.ctime_ns = ctime_ns;
  out.mode = mode;
  out.nlink = links;
  out.uid = ::getuid();
  out.blocks = (bytes.size() + 511) / 512;
  return out;
}

MemFileSystem::MemFileSystem(ManualClock& clock) : clock_(clock), root_(std::make_shared<Inode>()) {
  root_->dev = next_dev_++;
  root_->ino = 1;
  root_->mode = S_IFDIR | 0755;
  root_->links = 1;
  root_->mtime_ns = root_->ctime_ns = clock_.now_ns;
}

// --- walking ---------------------------------------------------------------------------------------------------------

MemFileSystem::Place MemFileSystem::walk(const std::string& path, bool follow_last) const {
  if (!is_absolute(path)) return {ENOENT, {}, {}, {}};
  std::deque<std::string> todo = components(path);
  std::vector<InodePtr> above{root_};
  int links_followed = 0;
  while (!todo.empty()) {
    std::string name = std::move(todo.front());
    todo.pop_front();
    InodePtr dir = above.back();
    if (!dir->is(S_IFDIR)) return {ENOTDIR, {}, {}, {}};
    if (name == "..") {
      if (above.size() > 1) above.pop_back();
      continue;
    }
    bool last = todo.empty();
    auto found = dir->names.find(name);
    if (found == dir->names.end()) return last ? Place{0, dir, name, {}} : Place{ENOENT, {}, {}, {}};
    InodePtr node = found->second;
    if (node->is(S_IFLNK) && (!last || follow_last)) {
      if (++links_followed > 40) return {ELOOP, {}, {}, {}};
      if (is_absolute(node->bytes)) above.resize(1);
      std::deque<std::string> target = components(node->bytes);
      todo.insert(todo.begin(), target.begin(), target.end());
      continue;
    }
    if (last) return {0, dir, name, node};
    above.push_back(node);
  }
  return {0, {}, {}, above.back()};
}

Result<MemFileSystem::InodePtr> MemFileSystem::find(const std::string& path, bool follow_last) const {
  Place place = walk(path, follow_last);
  if (place.err) return error_from_errno(place.err, path);
  if (!place.node) return error_from_errno(ENOENT, path);
  return place.node;
}

void MemFileSystem::each_inode(const InodePtr& dir, const Visit& visit) {
  for (const auto& [name, node] : dir->names) {
    visit(name, node);
    if (node->is(S_IFDIR)) {
      each_inode(node, [&, &above = name](const std::string& below, const InodePtr& inner) {
        visit(above + "/" + below, inner);
      });
    }
  }
}

// --- for tests -------------------------------------------------------------------------------------------------------

void MemFileSystem::mount(const std::string& path) {
  std::lock_guard guard(mutex_);
  (void)add(path, S_IFDIR | 0755, next_dev_++);
}

void MemFileSystem::power_cut(Loss loss) {
  std::lock_guard guard(mutex_);
  handles_.clear();
  each_inode(root_, [&](const std::string&, const InodePtr& node) {
    node->shared_locks = 0;
    node->exclusive_lock = false;
    if (!node->is(S_IFREG) || node->is_synced) return;
    node->is_synced = true;
    std::string& bytes = node->bytes;
    switch (loss) {
      case Loss::emptied: bytes.clear(); break;
      case Loss::truncated: bytes.resize(bytes.size() / 2); break;
      case Loss::zeroed: std::fill(bytes.begin(), bytes.end(), '\0'); break;
      case Loss::garbage:
        for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bytes[i] ^ (i * 31 + 7) ^ 0x80);
        break;
    }
  });
  unlocked_.notify_all();
}

std::map<std::string, std::string> MemFileSystem::files_below(const std::string& dir) {
  std::lock_guard guard(mutex_);
  std::map<std::string, std::string> files;
  Result<InodePtr> top = find(dir, true);
  if (!top.ok()) return files;
  each_inode(*top, [&](const std::string& name, const InodePtr& node) {
    if (!node->is(S_IFDIR)) files.emplace(join_path(dir, name), node->bytes);
  });
  return files;
}

void MemFileSystem::overwrite(const std::string& path, std::string_view bytes) {
  std::lock_guard guard(mutex_);
  InodePtr node = find(path, true).value();
  node->bytes = bytes;
  node->is_synced = false;
  node->mtime_ns = node->ctime_ns = clock_.now_ns;
}

// --- reading ---------------------------------------------------------------------------------------------------------

Result<FileStat> MemFileSystem::stat(const std::string& path) {
  std::lock_guard guard(mutex_);
  return KACHE_TRY(find(path, true))->stat();
}

Result<FileStat> MemFileSystem::lstat(const std::string& path) {
  std::lock_guard guard(mutex_);
  return KACHE_TRY(find(path, false))->stat();
}

Result<std::string> MemFileSystem::read_link(const std::string& path) {
  std::lock_guard guard(mutex_);
  InodePtr node = KACHE_TRY(find(path, false));
  if (!node->is(S_IFLNK)) return error_from_errno(EINVAL, path);
  return node->bytes;
}

Result<std::vector<DirEntry>> MemFileSystem::list(const std::string& path) {
  std::lock_guard guard(mutex_);
  InodePtr node = KACHE_TRY(find(path, true));
  if (!node->is(S_IFDIR)) return error_from_errno(ENOTDIR, path);
  std::vector<DirEntry> entries;
  for (const auto& [name, inode] : node->names) {
    DirEntry::Type type = inode->is(S_IFDIR) ? DirEntry::dir : inode->is(S_IFLNK) ? DirEntry::symlink : DirEntry::regular;
    entries.push_back({name, type});
  }
  return entries;
}

int MemFileSystem::new_handle(InodePtr inode) {
  handles_[next_handle_].inode = std::move(inode);
  return next_handle_++;
}

MemFileSystem::InodePtr MemFileSystem::handle_inode(int handle) const {
  auto found = handles_.find(handle);
  return found == handles_.end() ? nullptr : found->second.inode;
}

Result<int> MemFileSystem::open_read(const std::string& path) {
  std::lock_guard guard(mutex_);
  return new_handle(KACHE_TRY(find(path, true)));
}

Result<FileStat> MemFileSystem::stat_handle(int handle) {
  std::lock_guard guard(mutex_);
  InodePtr node = handle_inode(handle);
  if (!node) return error_from_errno(EBADF, "open file");
  return node->stat();
}

Result<size_t> MemFileSystem::read_at(int handle, uint64_t offset, char* buffer, size_t size) {
  std::lock_guard guard(mutex_);
  InodePtr node = handle_inode(handle);
  if (!node) return error_from_errno(EBADF, "open file");
  if (node->is(S_IFDIR)) return error_from_errno(EISDIR, "open file");
  if (offset >= node->bytes.size()) return size_t{0};
  return node->bytes.copy(buffer, size, offset);
}

void MemFileSystem::close(int handle) {
  std::lock_guard guard(mutex_);
  auto found = handles_.find(handle);
  if (found == handles_.end()) return;
  if (found->second.lock == Handle::shared) found->second.inode->shared_locks--;
  if (found->second.lock == Handle::exclusive) found->second.inode->exclusive_lock = false;
  handles_.erase(found);
  unlocked_.notify_all();
}

// --- writing ---------------------------------------------------------------------------------------------------------

Result<MemFileSystem::InodePtr> MemFileSystem::add(const std::string& path, uint32_t mode, uint64_t dev) {
  Place place = walk(path, false);
  if (place.err) return error_from_errno(place.err, path);
  if (place.node) return error_from_errno(EEXIST, path);
  auto node = std::make_shared<Inode>();
  node->dev = dev ? dev : place.dir->dev;
  node->ino = next_ino_++;
  node->mode = mode;
  node->links = 1;
  node->mtime_ns = node->ctime_ns = clock_.now_ns;
  place.dir->names[place.name] = node;
  place.dir->mtime_ns = place.dir->ctime_ns = clock_.now_ns;
  return node;
}

Status MemFileSystem::create(const std::string& path, std::string_view bytes, uint32_t mode) {
  std::lock_guard guard(mutex_);
  InodePtr node = KACHE_TRY(add(path, S_IFREG | (mode & 07777 & ~kUmask)));
  node->bytes = bytes;
  node->is_synced = bytes.empty();
  return Ok{};
}

Status MemFileSystem::append(const std::string& path, std::string_view bytes) {
  std::lock_guard guard(mutex_);
  Place place = walk(path, true);
  if (place.err) return error_from_errno(place.err, path);
  InodePtr node = place.node;
  if (!node) node = KACHE_TRY(add(path, S_IFREG | 0600));
  if (!node->is(S_IFREG)) return error_from_errno(EISDIR, path);
  if (bytes.empty()) return Ok{};
  node->bytes += bytes;
  node->is_synced = false;
  node->mtime_ns = node->ctime_ns = clock_.now_ns;
  return Ok{};
}

Status MemFileSystem::add_content(int from, const std::string& to, uint32_t mode) {
  InodePtr source = handle_inode(from);
  if (!source) return error_from_errno(EBADF, "open file");
  InodePtr node = KACHE_TRY(add(to, S_IFREG | (mode & 07777 & ~kUmask)));
  node->bytes = source->bytes;
  node->is_synced = node->bytes.empty();
  return Ok{};
}

Status MemFileSystem::clone(int from, const std::string& to, uint32_t mode) {
  std::lock_guard guard(mutex_);
  InodePtr source = handle_inode(from);
  Place place = walk(to, false);
  if (place.err) return error_from_errno(place.err, to);
  bool same_device = source && place.dir && source->dev == place.dir->dev;
  if (!reflinks || !same_device) return error_from_errno(EOPNOTSUPP, to);
  return add_content(from, to, mode);
}

Status MemFileSystem::copy(int from, const std::string& to, uint32_t mode) {
  std::lock_guard guard(mutex_);
  return add_content(from, to, mode);
}

Status MemFileSystem::link(const std::string& from, const std::string& to) {
  std::lock_guard guard(mutex_);
  InodePtr source = KACHE_TRY(find(from, false));
  Place place = walk(to, false);
  if (place.err) return error_from_errno(place.err, to);
  if (place.node) return error_from_errno(EEXIST, to);
  if (source->is(S_IFDIR)) return error_from_errno(EPERM, to);
  if (source->dev != place.dir->dev) return error_from_errno(EXDEV, to);
  place.dir->names[place.name] = source;
  source->links++;
  source->ctime_ns = place.dir->mtime_ns = place.dir->ctime_ns = clock_.now_ns;
  return Ok{};
}

Status MemFileSystem::symlink(const std::string& target, const std::string& path) {
  std::lock_guard guard(mutex_);
  KACHE_TRY(add(path, S_IFLNK | 0777))->bytes = target;
  return Ok{};
}

void MemFileSystem::detach(const Place& place) {
  place.dir->names.erase(place.name);
  place.node->links--;
  place.node->ctime_ns = place.dir->mtime_ns = place.dir->ctime_ns = clock_.now_ns;
}

Status MemFileSystem::rename(const std::string& from, const std::string& to) {
  std::lock_guard guard(mutex_);
  Place source = walk(from, false), target = walk(to, false);
  if (source.err || !source.node) return error_from_errno(source.err ? source.err : ENOENT, from);
  if (target.err) return error_from_errno(target.err, to);
  if (!source.dir || !target.dir) return error_from_errno(EBUSY, to);
  if (source.dir->dev != target.dir->dev) return error_from_errno(EXDEV, to);
  if (source.node == target.node) return Ok{};
  bool moves_dir = source.node->is(S_IFDIR);
  if (moves_dir && is_below(tidy_path(to), tidy_path(from))) return error_from_errno(EINVAL, to);
  if (target.node) {
    bool onto_dir = target.node->is(S_IFDIR);
    if (moves_dir && !onto_dir) return error_from_errno(ENOTDIR, to);
    if (!moves_dir && onto_dir) return error_from_errno(EISDIR, to);
    if (!target.node->names.empty()) return error_from_errno(ENOTEMPTY, to);
    detach(target);
  }
  detach(source);
  source.node->links++;
  target.dir->names[target.name] = source.node;
  target.dir->mtime_ns = target.dir->ctime_ns = clock_.now_ns;
  return Ok{};
}

Status MemFileSystem::remove(const std::string& path, bool is_dir) {
  std::lock_guard guard(mutex_);
  Place place = walk(path, false);
  if (place.err || !place.node) return error_from_errno(place.err ? place.err : ENOENT, path);
  if (!place.dir) return error_from_errno(EBUSY, path);
  if (is_dir && !place.node->is(S_IFDIR)) return error_from_errno(ENOTDIR, path);
  if (!is_dir && place.node->is(S_IFDIR)) return error_from_errno(EISDIR, path);
  if (!place.node->names.empty()) return error_from_errno(ENOTEMPTY, path);
  detach(place);
  return Ok{};
}

Status MemFileSystem::unlink(const std::string& path) { return remove(path, false); }
Status MemFileSystem::remove_dir(const std::string& path) { return remove(path, true); }

Status MemFileSystem::make_dir(const std::string& path, uint32_t mode) {
  std::lock_guard guard(mutex_);
  KACHE_TRY(add(path, S_IFDIR | (mode & 07777 & ~kUmask)));
  return Ok{};
}

Status MemFileSystem::set_mode(const std::string& path, uint32_t mode) {
  std::lock_guard guard(mutex_);
  InodePtr node = KACHE_TRY(find(path, true));
  node->mode = (node->mode & 0170000) | (mode & 07777);
  node->ctime_ns = clock_.now_ns;
  return Ok{};
}

Status MemFileSystem::set_mtime(const std::string& path, int64_t mtime_ns) {
  std::lock_guard guard(mutex_);
  InodePtr node = KACHE_TRY(find(path, false));
  node->mtime_ns = mtime_ns;
  node->ctime_ns = clock_.now_ns;
  return Ok{};
}

Status MemFileSystem::touch(const std::string& path) {
  std::lock_guard guard(mutex_);
  InodePtr node = KACHE_TRY(find(path, false));
  node->mtime_ns = node->ctime_ns = clock_.now_ns;
  return Ok{};
}

Status MemFileSystem::sync(const std::string& path) {
  std::lock_guard guard(mutex_);
  KACHE_TRY(find(path, true))->is_synced = true;
  return Ok{};
}

Status MemFileSystem::sync_all(const std::string& path) {
  std::lock_guard guard(mutex_);
  uint64_t dev = KACHE_TRY(find(path, true))->dev;
  each_inode(root_, [&](const std::string&, const InodePtr& node) { node->is_synced |= node->dev == dev; });
  return Ok{};
}

Result<int> MemFileSystem::lock(const std::string& path, LockMode mode) {
  std::unique_lock guard(mutex_);
  Place place = walk(path, true);
  if (place.err) return error_from_errno(place.err, path);
  InodePtr node = place.node;
  if (!node) node = KACHE_TRY(add(path, S_IFREG | 0600));
  if (node->is(S_IFDIR)) return error_from_errno(EISDIR, path);
  bool shared = mode == LockMode::shared;
  auto is_free = [&] { return !node->exclusive_lock && (shared || node->shared_locks == 0); };
  if (mode == LockMode::try_exclusive && !is_free()) return error_from_errno(EWOULDBLOCK, path);
  unlocked_.wait(guard, is_free);
  int handle = new_handle(node);
  handles_[handle].lock = shared ? Handle::shared : Handle::exclusive;
  if (shared) node->shared_locks++;
  else node->exclusive_lock = true;
  return handle;
}

}  // namespace kache
