#include "store/memo.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

namespace kache {
namespace {

constexpr char kMagic[8] = {'K', 'M', 'E', 'M', 'O', '0', '0', '2'};
constexpr uint64_t kFirstBuckets = 4096;        // 32 Ki digests, 2.8 MB
constexpr uint64_t kMostBuckets = 1024 * 1024;  // 8 Mi digests

struct Header {
  char magic[8];
  BootId boot;
  uint64_t buckets;
  uint64_t thrown_out;  // slots overwritten while they held something else; a hint, not exact
};

struct Slot {
  uint64_t dev, ino, aux, size;
  int64_t mtime_ns, ctime_ns;
  std::array<uint8_t, 32> digest;
  uint64_t check;
};
static_assert(sizeof(Slot) == Memo::kSlotSize);
using Bucket = std::array<Slot, Memo::kSlotsPerBucket>;

uint64_t mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0x9e3779b97f4a7c15;
  return h ^ (h >> 29);
}

uint64_t check_of(const Slot& slot) {
  uint64_t words[sizeof(Slot) / 8];
  std::memcpy(words, &slot, sizeof slot);
  uint64_t h = 0x6b61636865;
  for (size_t i = 0; i + 1 < std::size(words); ++i) h = mix(h, words[i]);
  return mix(h, h >> 32) | 1;  // never zero: an empty slot is all zeros
}

uint64_t hash_of(uint64_t dev, uint64_t ino, uint64_t aux) {
  uint64_t h = mix(mix(mix(1, dev), ino), aux);
  return mix(h, h >> 32);
}

// A file whose content is told by its sealed mtime is found whatever its ctime: each hard link made of it changes that.
bool same_file(const Slot& slot, const FileStat& file, uint64_t aux) {
  if (slot.dev != file.dev || slot.ino != file.ino || slot.aux != aux) return false;
  return true;
}

bool same_state(const Slot& slot, const FileStat& file) {
  if (slot.size != file.size || slot.mtime_ns != file.mtime_ns) return false;
  if (slot.ctime_ns == file.ctime_ns) return true;
  return slot.aux == 0 && slot.mtime_ns == seal_mtime(Digest{slot.digest});
}

int create_empty(const std::string& path, const BootId& boot, uint64_t buckets) {
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.boot = boot;
  header.buckets = buckets;
  off_t size = static_cast<off_t>(Memo::kHeaderSize + buckets * sizeof(Bucket));
  if (::pwrite(fd, &header, sizeof header, 0) == sizeof header && ::ftruncate(fd, size) == 0) return fd;
  ::close(fd);
  ::unlink(path.c_str());
  return -1;
}

bool valid(int fd, const BootId& boot, Header* header) {
  struct stat st;
  return ::pread(fd, header, sizeof *header, 0) == sizeof *header &&
         std::memcmp(header->magic, kMagic, sizeof kMagic) == 0 && same_boot(header->boot, boot) && header->buckets > 0 &&
         header->buckets <= kMostBuckets && ::fstat(fd, &st) == 0 &&
         static_cast<uint64_t>(st.st_size) == Memo::kHeaderSize + header->buckets * sizeof(Bucket);
}

}  // namespace

int64_t seal_mtime(const Digest& digest) {
  // Between September 2001 and December 2011, with nanoseconds: no clock stamps that any more.
  constexpr uint64_t kFirst = 1'000'000'000, kSeconds = uint64_t{1} << 28;
  uint64_t n = digest.prefix64();
  uint64_t seconds = kFirst + n % kSeconds;
  uint64_t nanoseconds = 1 + (n >> 32) % 999'999'999;
  return static_cast<int64_t>(seconds * 1'000'000'000 + nanoseconds);
}

bool is_sealed(const FileStat& file, const Digest& digest) { return file.mtime_ns == seal_mtime(digest); }

Memo Memo::open(const std::string& path, const BootId& boot) {
  Memo memo;
  memo.path_ = path;
  memo.boot_ = boot;
  if (!boot.is_known()) return memo;
  memo.fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  Header header{};
  if (memo.fd_ >= 0 && !valid(memo.fd_, boot, &header)) {  // of another boot, torn or foreign: start anew
    ::close(memo.fd_);
    ::unlink(path.c_str());
    memo.fd_ = -1;
  }
  if (memo.fd_ < 0) {
    std::string temporary = temporary_beside(path);
    memo.fd_ = create_empty(temporary, boot, kFirstBuckets);
    // link, not rename: a memo that another process has just made wins.
    if (memo.fd_ >= 0 && ::link(temporary.c_str(), path.c_str()) != 0) {
      ::close(memo.fd_);
      memo.fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    }
    ::unlink(temporary.c_str());
    if (memo.fd_ >= 0 && !valid(memo.fd_, boot, &header)) {
      ::close(memo.fd_);
      memo.fd_ = -1;
    }
  }
  memo.buckets_ = header.buckets;
  return memo;
}

Memo::Memo(Memo&& other) noexcept
    : path_(std::move(other.path_)), boot_(other.boot_), fd_(std::exchange(other.fd_, -1)), buckets_(other.buckets_) {}

Memo::~Memo() {
  if (fd_ >= 0) ::close(fd_);
}

uint64_t Memo::bucket_offset(const FileStat& file, uint64_t aux) const {
  return kHeaderSize + hash_of(file.dev, file.ino, aux) % buckets_ * sizeof(Bucket);
}

bool Memo::find(const FileStat& file, uint64_t aux, Digest* digest) const {
  if (fd_ < 0) return false;
  Bucket bucket;
  if (::pread(fd_, &bucket, sizeof bucket, static_cast<off_t>(bucket_offset(file, aux))) != sizeof bucket) return false;
  for (const Slot& slot : bucket) {
    if (same_file(slot, file, aux) && same_state(slot, file) && slot.check == check_of(slot)) {
      digest->bytes = slot.digest;
      return true;
    }
  }
  return false;
}

void Memo::insert(const FileStat& file, uint64_t aux, const Digest& digest) {
  if (fd_ < 0) return;
  uint64_t offset = bucket_offset(file, aux);
  Bucket bucket;
  if (::pread(fd_, &bucket, sizeof bucket, static_cast<off_t>(offset)) != sizeof bucket) return;

  // Its own slot, else a free one, else one picked by the digest, which is as good as at random.
  size_t place = kSlotsPerBucket;
  for (size_t i = 0; i < kSlotsPerBucket && place == kSlotsPerBucket; ++i) {
    if (same_file(bucket[i], file, aux)) place = i;
  }
  for (size_t i = 0; i < kSlotsPerBucket && place == kSlotsPerBucket; ++i) {
    if (bucket[i].check == 0) place = i;
  }
  if (place == kSlotsPerBucket) {
    place = digest.bytes[31] % kSlotsPerBucket;
    Header header;
    if (::pread(fd_, &header, sizeof header, 0) == sizeof header) {
      header.thrown_out++;
      (void)!::pwrite(fd_, &header.thrown_out, sizeof header.thrown_out, offsetof(Header, thrown_out));
    }
  }
  Slot slot{file.dev, file.ino, aux, file.size, file.mtime_ns, file.ctime_ns, digest.bytes, 0};
  slot.check = check_of(slot);
  (void)!::pwrite(fd_, &slot, sizeof slot, static_cast<off_t>(offset + place * sizeof slot));
}

void Memo::grow_if_crowded() {
  Header header;
  if (fd_ < 0 || !valid(fd_, boot_, &header)) return;
  if (header.thrown_out < header.buckets || header.buckets * 2 > kMostBuckets) return;
  std::string temporary = temporary_beside(path_);
  Memo bigger;
  bigger.fd_ = create_empty(temporary, boot_, header.buckets * 2);
  bigger.buckets_ = header.buckets * 2;
  if (bigger.fd_ < 0) return;
  Bucket bucket;
  for (uint64_t i = 0; i < header.buckets; ++i) {
    off_t offset = static_cast<off_t>(kHeaderSize + i * sizeof bucket);
    if (::pread(fd_, &bucket, sizeof bucket, offset) != sizeof bucket) break;
    for (const Slot& slot : bucket) {
      if (slot.check == 0 || slot.check != check_of(slot)) continue;
      FileStat file;
      file.dev = slot.dev;
      file.ino = slot.ino;
      file.size = slot.size;
      file.mtime_ns = slot.mtime_ns;
      file.ctime_ns = slot.ctime_ns;
      bigger.insert(file, slot.aux, Digest{slot.digest});
    }
  }
  if (::rename(temporary.c_str(), path_.c_str()) != 0) {
    ::unlink(temporary.c_str());
    return;
  }
  std::swap(fd_, bigger.fd_);
  std::swap(buckets_, bigger.buckets_);
}

}  // namespace kache
