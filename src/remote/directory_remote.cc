// A directory that several machines see: NFS, a bind mount of CI, a disk of a team. What lies in it was written by others:
// no component of a path below the directory is followed when it is a link, and only regular files are objects.
//
//   <directory>/<prefix>/k1/blobs/ab/<digest>   an object, as it was given
//   <directory>/<prefix>/.kache-tmp/put-<hex>   an object on its way
//   <directory>/<prefix>/.kache-tmp/lock-<xx>   held while an object is compared and replaced
//
// A call that the kernel does not return from (a dead NFS server, mounted hard) is beyond our deadlines.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <utility>

#include "base/path.h"
#include "remote/limits.h"
#include "remote/remote_spec.h"

namespace kache {
namespace {

constexpr std::string_view kStaging = ".kache-tmp";
constexpr std::string_view kTemporary = "put-";
constexpr size_t kChunk = 256 << 10;
constexpr int64_t kDeadWriterSeconds = 24 * 3600;
constexpr uint64_t kPutsPerSweep = 256;

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

int64_t to_ns(const timespec& t) { return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; }

std::string version_of(const struct stat& st) {
  char text[128];
  ::snprintf(text, sizeof text, "%llx-%llx-%llx-%llx-%llx", static_cast<unsigned long long>(st.st_dev),
             static_cast<unsigned long long>(st.st_ino), static_cast<unsigned long long>(st.st_size),
             static_cast<unsigned long long>(to_ns(st.st_mtim)), static_cast<unsigned long long>(to_ns(st.st_ctim)));
  return text;
}

std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    size_t slash = path.find('/');
    if (slash != 0) parts.emplace_back(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return parts;
}

Error no_object(const std::string& path) { return {ErrorCode::corrupt, 0, path + ": not a regular file; remove it"}; }
Error condition_fails(const std::string& path) { return {ErrorCode::exists, 0, path + ": there already"}; }

enum class Missing : uint8_t { fails, is_made };

// The directory `name` in `parent`. With the modes that the umask gives: who shares a directory sets it, or default ACLs.
Result<Fd> enter(const Fd& parent, const std::string& name, const std::string& path, Missing missing) {
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int fd = ::openat(parent.get(), name.c_str(), kFlags);
  if (fd < 0 && errno == ENOENT && missing == Missing::is_made) {
    if (::mkdirat(parent.get(), name.c_str(), 0777) != 0 && errno != EEXIST) return error_from_errno(errno, path);
    fd = ::openat(parent.get(), name.c_str(), kFlags);
  }
  if (fd >= 0) return Fd(fd);
  if (errno == ENOTDIR || errno == ELOOP) return Error{ErrorCode::corrupt, 0, path + ": not a directory (links are not followed here)"};
  return error_from_errno(errno, path);
}

// A new file that nobody else writes, gone with this unless it was moved.
class Temporary {
 public:
  static Result<Temporary> make(const Fd& dir, const std::string& dir_path) {
    unsigned char random[16];
    if (::getrandom(random, sizeof random, 0) != sizeof random) return error_from_errno(errno, "random bytes");
    std::string name(kTemporary);  // of no use to guess, and not the same on two machines
    for (unsigned char byte : random) {
      char hex[3];
      ::snprintf(hex, sizeof hex, "%02x", byte);
      name += hex;
    }
    int fd = ::openat(dir.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) return error_from_errno(errno, join_path(dir_path, name));
    return Temporary(dir.get(), Fd(fd), std::move(name));
  }
  Temporary(Temporary&& other) noexcept : dir_(other.dir_), fd_(std::move(other.fd_)), name_(std::exchange(other.name_, {})) {}
  ~Temporary() {
    if (!name_.empty()) ::unlinkat(dir_, name_.c_str(), 0);
  }

  int fd() const { return fd_.get(); }
  const char* name() const { return name_.c_str(); }
  void was_moved() { name_.clear(); }

 private:
  Temporary(int dir, Fd fd, std::string name) : dir_(dir), fd_(std::move(fd)), name_(std::move(name)) {}
  int dir_;  // stays open longer than this
  Fd fd_;
  std::string name_;
};

Status fill(const Temporary& file, Source& source, const Limits& limits, const std::string& path) {
  KACHE_TRY(source.rewind());
  std::string buffer(kChunk, '\0');
  uint64_t written = 0;
  for (;;) {
    KACHE_TRY(still_wanted(limits));
    size_t size = KACHE_TRY(source.read(buffer.data(), buffer.size()));
    if (size == 0) break;
    for (size_t at = 0; at < size;) {
      ssize_t n = ::write(file.fd(), buffer.data() + at, size - at);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return error_from_errno(errno, path);
      at += static_cast<size_t>(n);
    }
    written += size;
  }
  if (written != source.size()) return Error{ErrorCode::io, 0, path + ": its source ended early"};
  // A server that lost power shall not have a name without its bytes. NFS reports a full disk here.
  if (::fdatasync(file.fd()) != 0) return error_from_errno(errno, path);
  return Ok{};
}

class DirectoryRemote final : public Remote {
 public:
  explicit DirectoryRemote(const RemoteSpec& spec)
      : description_(spec.description()), place_(spec.place), prefix_(components(spec.prefix)), atomic_write_dir_(spec.option("atomic_write_dir")) {}

  std::string description() const override { return description_; }

  Result<std::string> get(const ObjectName& name, Sink& sink, const Limits& limits) override {
    KACHE_TRY(still_wanted(limits));
    std::string path = path_of(name);
    Fd folder = KACHE_TRY(find_folder(name));
    Fd fd(::openat(folder.get(), leaf(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (fd.get() < 0) {
      if (errno == ELOOP || errno == ENXIO) return no_object(path);
      return error_from_errno(errno, path);
    }
    struct stat st;
    if (::fstat(fd.get(), &st) != 0) return error_from_errno(errno, path);
    if (!S_ISREG(st.st_mode)) return no_object(path);
    Error too_large{ErrorCode::too_large, 0, path + ": more than " + std::to_string(limits.max_bytes) + " bytes"};
    if (static_cast<uint64_t>(st.st_size) > limits.max_bytes) return too_large;
    std::string buffer(std::min<size_t>(kChunk, static_cast<size_t>(st.st_size) + 1), '\0');
    for (uint64_t total = 0;;) {
      KACHE_TRY(still_wanted(limits));
      ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return error_from_errno(errno, path);
      if (n == 0) return version_of(st);
      total += static_cast<uint64_t>(n);
      if (total > limits.max_bytes) return too_large;  // it grows while we read
      KACHE_TRY(sink.write({buffer.data(), static_cast<size_t>(n)}));
    }
  }

  Status put(const ObjectName& name, Source& source, const PutCondition& condition, const Limits& limits) override {
    Status done = put_object(name, source, condition, limits);
    if (done.ok() || done.code() != ErrorCode::denied) return done;
    Error error = std::move(done).error();
    error.message += "; who writes needs a group and a umask as docs/remotes.md has them, who only reads ?mode=read";
    return error;
  }

  Result<bool> has(const ObjectName& name, const Limits& limits) override {
    KACHE_TRY(still_wanted(limits));
    Result<Fd> folder = find_folder(name);
    if (!folder.ok() && folder.code() == ErrorCode::not_found) return false;
    struct stat st;
    return stat_object(KACHE_TRY(std::move(folder)), name, st);
  }

  Status list(ObjectKind kind, const std::string& prefix, const Visit& visit, const Limits& limits) override {
    Listing listing{prefix, visit, limits};
    std::string below = kind_prefix(kind);
    Result<Fd> dir = find(below);
    if (!dir.ok() && dir.code() == ErrorCode::not_found) return Ok{};
    return list_dir(KACHE_TRY(std::move(dir)), below, listing);
  }

  Status remove(const ObjectName& name, const Limits& limits) override {
    KACHE_TRY(still_wanted(limits));
    Result<Fd> folder = find_folder(name);
    if (!folder.ok() && folder.code() == ErrorCode::not_found) return Ok{};
    if (!folder.ok()) return std::move(folder).error();
    Result<Fd> own = find(std::string(kStaging));
    Result<Fd> lock = own.ok() ? lock_shard(*own, name, limits) : Result<Fd>(Fd());  // never staged here: nobody compares
    if (!lock.ok() && lock.code() != ErrorCode::unsupported) return std::move(lock).error();
    if (::unlinkat(folder->get(), leaf(name), 0) != 0 && errno != ENOENT) return error_from_errno(errno, path_of(name));
    return Ok{};
  }

 private:
  Status put_object(const ObjectName& name, Source& source, const PutCondition& condition, const Limits& limits) {
    KACHE_TRY(still_wanted(limits));
    std::string path = path_of(name);
    Fd base = KACHE_TRY(open_base(Missing::is_made));
    Fd folder = KACHE_TRY(open_below(base, dir_name(name.text()), Missing::is_made));
    KACHE_TRY(check_condition(folder, name, condition));  // before many bytes are written
    Fd own = KACHE_TRY(open_below(base, kStaging, Missing::is_made));
    Fd elsewhere = KACHE_TRY(open_atomic_write_dir(folder));
    const Fd& staging = elsewhere.get() >= 0 ? elsewhere : own;
    Temporary file = KACHE_TRY(Temporary::make(staging, elsewhere.get() >= 0 ? atomic_write_dir_ : base_path() + "/" + std::string(kStaging)));
    if (puts_++ % kPutsPerSweep == 0) remove_dead(staging, file);
    KACHE_TRY(fill(file, source, limits, path));
    // Beyond this point the bytes are complete; what follows makes them visible, or does not.
    if (condition.kind == PutCondition::if_absent) return move_if_absent(own, staging, file, folder, name, limits);
    Result<Fd> lock = lock_shard(own, name, limits);
    if (!lock.ok() && (condition.kind == PutCondition::if_version || lock.code() != ErrorCode::unsupported)) return std::move(lock).error();
    KACHE_TRY(check_condition(folder, name, condition));
    return move(staging, file, folder, name);
  }

  struct Listing {
    const std::string& prefix;
    const Visit& visit;
    const Limits& limits;
  };

  static const char* leaf(const ObjectName& name) { return name.text().c_str() + name.text().rfind('/') + 1; }

  std::string base_path() const {
    std::string path = place_;
    for (const std::string& part : prefix_) path += "/" + part;
    return path;
  }
  std::string path_of(const ObjectName& name) const { return base_path() + "/" + name.text(); }

  // The directory itself is the user's word: links on the way to it are theirs. It is never made: below an unmounted share
  // there would be the disk of the system.
  Result<Fd> open_base(Missing missing) const {
    Fd dir(::open(place_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (dir.get() < 0 && (errno == ENOENT || errno == ENOTDIR)) {
      return Error{ErrorCode::invalid, errno, "no directory " + place_ + ": is it mounted? kache does not create it"};
    }
    if (dir.get() < 0) return error_from_errno(errno, place_);
    std::string path = place_;
    for (const std::string& part : prefix_) {
      path += "/" + part;
      dir = KACHE_TRY(enter(dir, part, path, missing));
    }
    return dir;
  }

  // The directory `below` ("k1/blobs/ab") in `base`.
  Result<Fd> open_below(const Fd& base, std::string_view below, Missing missing) const {
    std::string path = base_path();
    Fd dir;
    for (const std::string& part : components(below)) {
      path += "/" + part;
      dir = KACHE_TRY(enter(dir.get() < 0 ? base : dir, part, path, missing));
    }
    return dir;
  }
  Result<Fd> find(std::string_view below) const {
    Fd base = KACHE_TRY(open_base(Missing::fails));
    return open_below(base, below, Missing::fails);
  }
  Result<Fd> find_folder(const ObjectName& name) const { return find(dir_name(name.text())); }

  // An Fd without a file where the setting is not made.
  Result<Fd> open_atomic_write_dir(const Fd& folder) const {
    if (atomic_write_dir_.empty()) return Fd();
    if (::mkdir(atomic_write_dir_.c_str(), 0777) != 0 && errno != EEXIST) {
      return Error{ErrorCode::invalid, errno, "no directory atomic_write_dir " + atomic_write_dir_ + ", and it can not be made"};
    }
    Fd dir(::open(atomic_write_dir_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    struct stat ours, theirs;
    if (dir.get() < 0 || ::fstat(dir.get(), &ours) != 0 || ::fstat(folder.get(), &theirs) != 0) {
      return Error{ErrorCode::invalid, errno, "atomic_write_dir " + atomic_write_dir_ + " is no directory"};
    }
    if (ours.st_dev != theirs.st_dev) {
      return Error{ErrorCode::invalid, EXDEV, "atomic_write_dir " + atomic_write_dir_ + " is not on the file system of " + place_};
    }
    return dir;
  }

  // False: there is nothing.
  Result<bool> stat_object(const Fd& folder, const ObjectName& name, struct stat& st) const {
    if (::fstatat(folder.get(), leaf(name), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return false;
      return error_from_errno(errno, path_of(name));
    }
    if (!S_ISREG(st.st_mode)) return no_object(path_of(name));
    return true;
  }

  Status check_condition(const Fd& folder, const ObjectName& name, const PutCondition& condition) const {
    if (condition.kind == PutCondition::always) return Ok{};
    struct stat st;
    bool there = KACHE_TRY(stat_object(folder, name, st));
    if (condition.kind == PutCondition::if_absent && there) return condition_fails(path_of(name));
    if (condition.kind == PutCondition::if_version && (!there || version_of(st) != condition.version)) {
      return Error{ErrorCode::exists, 0, path_of(name) + ": changed meanwhile"};
    }
    return Ok{};
  }

  // Against others who compare and replace, on this machine or another. `unsupported` where the file system has no locks.
  Result<Fd> lock_shard(const Fd& own, const ObjectName& name, const Limits& limits) const {
    char file[16];
    ::snprintf(file, sizeof file, "lock-%02x", digest_bytes(name.text()).bytes[0]);
    int fd = ::openat(own.get(), file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EACCES) fd = ::openat(own.get(), file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);  // another user's
    if (fd < 0) return error_from_errno(errno, std::string(kStaging) + "/" + file);
    Fd lock(fd);
    // Asks again and again: who waits in the kernel has no deadline.
    while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL || errno == EBADF) {
        return Error{ErrorCode::unsupported, errno, place_ + ": its file system has no locks"};
      }
      if (errno != EWOULDBLOCK && errno != EINTR) return error_from_errno(errno, std::string(kStaging) + "/" + file);
      KACHE_TRY(still_wanted(limits));
      timespec pause{0, 2'000'000};
      ::nanosleep(&pause, nullptr);
    }
    return lock;
  }

  Status move(const Fd& staging, Temporary& file, const Fd& folder, const ObjectName& name) const {
    if (::renameat(staging.get(), file.name(), folder.get(), leaf(name)) != 0) return error_from_errno(errno, path_of(name));
    file.was_moved();
    return Ok{};
  }

  Status move_if_absent(const Fd& own, const Fd& staging, Temporary& file, const Fd& folder, const ObjectName& name, const Limits& limits) const {
    if (::linkat(staging.get(), file.name(), folder.get(), leaf(name), 0) == 0) return Ok{};
    if (errno == EEXIST) {
      // NFS may have made the link, lost the answer and asked again.
      struct stat st;
      if (::fstat(file.fd(), &st) == 0 && st.st_nlink > 1) return Ok{};
      return condition_fails(path_of(name));
    }
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL && errno != EMLINK) return error_from_errno(errno, path_of(name));
    // No hard links here (FAT, some shares).
    if (::renameat2(staging.get(), file.name(), folder.get(), leaf(name), RENAME_NOREPLACE) == 0) {
      file.was_moved();
      return Ok{};
    }
    if (errno == EEXIST) return condition_fails(path_of(name));
    if (errno != EINVAL && errno != ENOSYS) return error_from_errno(errno, path_of(name));
    Result<Fd> lock = lock_shard(own, name, limits);
    if (!lock.ok() && lock.code() != ErrorCode::unsupported) return std::move(lock).error();
    KACHE_TRY(check_condition(folder, name, if_absent()));
    return move(staging, file, folder, name);
  }

  // What writers left behind that died more than a day ago, by the clock that stamps the files.
  static void remove_dead(const Fd& staging, const Temporary& fresh) {
    struct stat now;
    int fd = ::openat(staging.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* dir = fd < 0 || ::fstat(fresh.fd(), &now) != 0 ? nullptr : ::fdopendir(fd);
    if (!dir) {
      if (fd >= 0) ::close(fd);
      return;
    }
    while (dirent* entry = ::readdir(dir)) {
      struct stat st;
      if (!std::string_view(entry->d_name).starts_with(kTemporary) || ::fstatat(staging.get(), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (S_ISREG(st.st_mode) && now.st_mtim.tv_sec - st.st_mtim.tv_sec > kDeadWriterSeconds) ::unlinkat(staging.get(), entry->d_name, 0);
    }
    ::closedir(dir);
  }

  // `below`: "k1/blobs/ab/". Directories that can hold nothing with the prefix are not opened, names deeper than ours neither.
  static Status list_dir(const Fd& dir, const std::string& below, const Listing& listing) {
    int fd = ::openat(dir.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return error_from_errno(errno, below);
    std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd), ::closedir);
    if (!stream) {
      ::close(fd);
      return error_from_errno(errno, below);
    }
    errno = 0;
    while (dirent* entry = ::readdir(stream.get())) {
      KACHE_TRY(still_wanted(listing.limits));
      std::string text = below + entry->d_name;
      std::string_view shorter = listing.prefix.size() < text.size() ? std::string_view(listing.prefix) : std::string_view(text);
      struct stat st;
      bool may_match = std::string_view(text).starts_with(shorter) && std::string_view(listing.prefix).starts_with(shorter);
      if (may_match && is_word(entry->d_name) && ::fstatat(dir.get(), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        KACHE_TRY(list_entry(dir, entry->d_name, text, st, listing));
      }
      errno = 0;
    }
    if (errno != 0) return error_from_errno(errno, below);
    return Ok{};
  }

  static Status list_entry(const Fd& dir, const std::string& leaf_name, const std::string& text, const struct stat& st, const Listing& listing) {
    constexpr size_t kDeepest = 3;  // slashes in k1/blobs/ab/<digest>
    if (S_ISDIR(st.st_mode) && components(text).size() <= kDeepest) {
      Result<Fd> next = enter(dir, leaf_name, text, Missing::fails);
      if (!next.ok() && (next.code() == ErrorCode::not_found || next.code() == ErrorCode::corrupt)) return Ok{};  // gone, or a link by now
      return list_dir(KACHE_TRY(std::move(next)), text + "/", listing);
    }
    if (!S_ISREG(st.st_mode) || !text.starts_with(listing.prefix)) return Ok{};
    Result<ObjectName> name = ObjectName::parse(text);
    if (!name.ok()) return Ok{};
    return listing.visit({*name, static_cast<uint64_t>(st.st_size), to_ns(st.st_mtim)});
  }

  std::string description_;
  std::string place_;
  std::vector<std::string> prefix_;
  std::string atomic_write_dir_;
  std::atomic<uint64_t> puts_{0};
};

}  // namespace

Result<std::unique_ptr<Remote>> open_directory_remote(const RemoteSpec& spec) {
  if (!is_absolute(spec.place)) return Error{ErrorCode::invalid, 0, "directory " + spec.place + " is not an absolute path"};
  std::string elsewhere = spec.option("atomic_write_dir");
  if (!elsewhere.empty() && !is_absolute(elsewhere)) {
    return Error{ErrorCode::invalid, 0, "atomic_write_dir " + elsewhere + " is not an absolute path"};
  }
  return std::unique_ptr<Remote>(std::make_unique<DirectoryRemote>(spec));
}

}  // namespace kache
