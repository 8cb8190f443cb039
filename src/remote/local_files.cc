#include "remote/local_files.h"

#include <zstd.h>

#include <algorithm>
#include <memory>

namespace kache {
namespace {

constexpr size_t kPiece = 1 << 20;

struct FreeStream {
  void operator()(ZSTD_CStream* stream) const { ZSTD_freeCStream(stream); }
};

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
  std::unique_ptr<ZSTD_CStream, FreeStream> stream(ZSTD_createCStream());
  ZSTD_CCtx_setParameter(stream.get(), ZSTD_c_compressionLevel, level);
  KACHE_TRY(fs.create(path, {}, 0600));
  std::string plain(kPiece, '\0'), packed(ZSTD_compressBound(kPiece), '\0');
  PackedFile file;
  Hasher hasher;
  uint64_t offset = 0;
  for (bool is_end = false; !is_end;) {
    size_t got = KACHE_TRY(fs.read_at(handle, offset, plain.data(), plain.size()));
    offset += got;
    hasher.update_raw(plain.data(), got);
    is_end = got == 0;
    ZSTD_inBuffer in{plain.data(), got, 0};
    size_t rest = 0;
    do {
      ZSTD_outBuffer out{packed.data(), packed.size(), 0};
      rest = ZSTD_compressStream2(stream.get(), &out, &in, is_end ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(rest)) return Error{ErrorCode::io, 0, std::string("zstd: ") + ZSTD_getErrorName(rest)};
      if (out.pos > 0) KACHE_TRY(fs.append(path, std::string_view(packed).substr(0, out.pos)));
      file.size += out.pos;
    } while (is_end ? rest != 0 : in.pos < in.size);
  }
  file.digest = hasher.finish();
  return file;
}

}  // namespace kache
