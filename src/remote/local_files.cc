#include "remote/local_files.h"

#include <algorithm>

#include "remote/compress.h"

namespace kache {
namespace {

constexpr size_t kPiece = 1 << 20;

}  // namespace

Status AppendingSink::write(std::string_view bytes) {
  hasher_.update_raw(bytes.data(), bytes.size());
  size_ += bytes.size();
  pending_ += bytes;
  return pending_.size() >= kPiece ? flush() : Status(Ok{});
}

Status AppendingSink::flush() {
  if (pending_.empty()) return Ok{};
  Status written = fs_.append(path_, pending_);
  has_failed_ = !written.ok();
  pending_.clear();
  return written;
}

Result<size_t> FileSource::read(char* buffer, size_t size) {
  size_t got = KACHE_TRY(fs_.read_at(handle_, at_, buffer, static_cast<size_t>(std::min<uint64_t>(size, size_ - at_))));
  at_ += got;
  return got;
}

Result<PackedFile> compress_file(FileSystem& fs, int handle, const std::string& path, int level) {
  KACHE_TRY(fs.create(path, {}, 0600));
  AppendingSink file(fs, path);
  CompressingSink packed(file, level);
  std::string plain(kPiece, '\0');
  Hasher hasher;
  for (uint64_t offset = 0;;) {
    size_t got = KACHE_TRY(fs.read_at(handle, offset, plain.data(), plain.size()));
    if (got == 0) break;
    offset += got;
    hasher.update_raw(plain.data(), got);
    KACHE_TRY(packed.write(std::string_view(plain).substr(0, got)));
  }
  KACHE_TRY(packed.finish());
  KACHE_TRY(file.flush());
  return PackedFile{file.size(), hasher.finish()};
}

}  // namespace kache
