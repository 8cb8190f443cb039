#include "record/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/path.h"
#include "record/preload/record_format.h"

namespace kache {
namespace {

static_assert(kRecordCapacity == KACHE_RECORD_CAPACITY);
static_assert(static_cast<int>(EventKind::hello) == KACHE_REC_HELLO);
static_assert(static_cast<int>(EventKind::shell) == KACHE_REC_SHELL);
static_assert(sizeof(kache_record) == 88 && sizeof(kache_record_header) == 48, "no padding that could differ");

Error bad(const char* what) { return {ErrorCode::corrupt, 0, std::string("record: ") + what}; }

Status check_header(const kache_record_header& header) {
  if (std::memcmp(header.magic, KACHE_RECORD_MAGIC, sizeof header.magic) != 0) return bad("not a record");
  if (header.flags & KACHE_RECORD_OVERFLOW) return bad("overflowed");
  if (header.flags != 0) return bad("unknown flags");
  if (header.tail < sizeof header || header.tail > header.capacity) return bad("end out of bounds");
  return Ok{};
}

RecordEvent to_event(const kache_record& r, std::string_view texts) {
  RecordEvent event{};
  event.kind = static_cast<EventKind>(r.kind);
  event.flags = r.flags;
  event.pid = r.pid;
  event.result = r.result;
  event.clock_ns = r.clock_ns;
  event.aux = r.aux;
  event.identity.dev = r.dev;
  event.identity.ino = r.ino;
  event.identity.size = r.file_size;
  event.identity.mtime_ns = r.mtime_ns;
  event.identity.ctime_ns = r.ctime_ns;
  event.identity.mode = r.mode;
  event.a = texts.substr(0, r.a_size);
  event.b = texts.substr(r.a_size, r.b_size);
  return event;
}

// Reads up to `size` bytes from the start; fewer only at the end of the file.
Result<size_t> read_start(int fd, char* out, size_t size, const std::string& path) {
  size_t done = 0;
  while (done < size) {
    ssize_t n = ::pread(fd, out + done, size - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return error_from_errno(errno, path);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

// The written part of the record.
Result<std::vector<char>> load(int fd, const std::string& path) {
  std::vector<char> bytes(sizeof(kache_record_header));
  if (KACHE_TRY(read_start(fd, bytes.data(), bytes.size(), path)) != bytes.size()) return bad("no header");
  kache_record_header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  KACHE_TRY(check_header(header));
  off_t end = ::lseek(fd, 0, SEEK_END);
  if (end < 0) return error_from_errno(errno, path);
  if (header.tail > static_cast<uint64_t>(end)) return bad("shorter than it says");
  bytes.resize(header.tail);
  bytes.resize(KACHE_TRY(read_start(fd, bytes.data(), bytes.size(), path)));
  return bytes;
}

// The header, and zeros up to the end of the first chunk: see record_format.h.
Status prepare(int fd, uint64_t capacity, const std::string& path) {
  rlimit limit;  // beyond it, ftruncate would be a signal
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < capacity) {
    return Error{ErrorCode::too_large, 0, path + ": a record does not fit the limit on file sizes (ulimit -f)"};
  }
  if (::ftruncate(fd, static_cast<off_t>(capacity)) != 0) return error_from_errno(errno, path);
  std::vector<char> bytes(std::min<uint64_t>(capacity, KACHE_RECORD_FIRST_CHUNK));
  kache_record_header header{};
  std::memcpy(header.magic, KACHE_RECORD_MAGIC, sizeof header.magic);
  header.capacity = capacity;
  header.tail = sizeof header;
  header.claimed = header.allocated = bytes.size();
  std::memcpy(bytes.data(), &header, sizeof header);
  for (size_t done = 0; done < bytes.size();) {
    ssize_t n = ::pwrite(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return error_from_errno(errno, path);
    done += static_cast<size_t>(n);
  }
  return Ok{};
}

}  // namespace

Result<std::vector<RecordEvent>> parse_record(std::string_view bytes) {
  kache_record_header header;
  if (bytes.size() < sizeof header) return bad("no header");
  std::memcpy(&header, bytes.data(), sizeof header);
  KACHE_TRY(check_header(header));
  if (header.tail > bytes.size()) return bad("shorter than it says");

  std::vector<RecordEvent> events;
  std::string_view rest = bytes.substr(sizeof header, header.tail - sizeof header);
  while (!rest.empty()) {
    kache_record r;
    if (rest.size() < sizeof r) return bad("torn at the end");
    std::memcpy(&r, rest.data(), sizeof r);
    // A writer that died, or still runs, between reserving and finishing.
    if (r.size == 0) return bad("an event was not finished");
    if (r.size < sizeof r || r.size > rest.size() || r.size % 8 != 0) return bad("event of impossible size");
    if (r.kind < KACHE_REC_HELLO || r.kind > KACHE_REC_SHELL) return bad("unknown event");
    if (r.result < 0) return bad("event with a negative result");
    uint64_t texts = uint64_t{r.a_size} + r.b_size;
    if (texts > r.size - sizeof r || texts + 7 < r.size - sizeof r) return bad("event with texts of impossible size");
    events.push_back(to_event(r, rest.substr(sizeof r, texts)));
    rest.remove_prefix(r.size);
  }
  return events;
}

Result<RecordFile> RecordFile::create(const std::string& dir, uint64_t capacity) {
  std::string path = temporary_beside(join_path(dir, "record"));
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return error_from_errno(errno, path);
  RecordFile file;
  file.path_ = path;  // from here on removed by the destructor
  Status prepared = prepare(fd, capacity, path);
  ::close(fd);
  if (!prepared.ok()) return std::move(prepared).error();
  return file;
}

RecordFile::RecordFile(RecordFile&& other) noexcept : path_(std::move(other.path_)), bytes_(std::move(other.bytes_)) {
  other.path_.clear();
}

RecordFile& RecordFile::operator=(RecordFile&& other) noexcept {
  if (this != &other) {
    remove();
    path_ = std::move(other.path_);
    bytes_ = std::move(other.bytes_);
    other.path_.clear();
  }
  return *this;
}

RecordFile::~RecordFile() { remove(); }

void RecordFile::remove() {
  if (!path_.empty()) ::unlink(path_.c_str());
  path_.clear();
}

Result<std::vector<RecordEvent>> RecordFile::read() {
  int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return error_from_errno(errno, path_);
  Result<std::vector<char>> bytes = load(fd, path_);
  ::close(fd);
  bytes_ = KACHE_TRY(std::move(bytes));
  return parse_record({bytes_.data(), bytes_.size()});
}

Status add_recorder(Env& env, const std::string& library, const std::string& record_path) {
  // The dynamic linker splits the list at these, expands '$', and has no way to quote.
  if (!is_absolute(library) || library.find_first_of(": \t\n$") != std::string::npos) {
    return Error{ErrorCode::invalid, 0, "recorder: " + library + ": LD_PRELOAD can not name this path; install kache elsewhere"};
  }
  if (!is_absolute(record_path)) return Error{ErrorCode::invalid, 0, "recorder: " + record_path + ": not absolute"};
  std::string preload = library;
  std::string_view listed = env.get_or_empty("LD_PRELOAD");
  while (!listed.empty()) {
    std::string_view word = listed.substr(0, listed.find_first_of(": "));
    listed.remove_prefix(word.size() < listed.size() ? word.size() + 1 : listed.size());
    if (!word.empty() && word != library) preload.append(":").append(word);
  }
  env.set("LD_PRELOAD", preload);
  env.set(KACHE_RECORD_ENV, record_path);
  return Ok{};
}

}  // namespace kache
