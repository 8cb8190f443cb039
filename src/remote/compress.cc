#include "remote/compress.h"

#include <zstd.h>

namespace kache {

std::string compress(std::string_view bytes, int level) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), level);
  if (ZSTD_isError(size)) std::abort();  // only for want of memory
  out.resize(size);
  return out;
}

struct DecompressingSink::State {
  ZSTD_DStream* stream = ZSTD_createDStream();
  std::string buffer = std::string(ZSTD_DStreamOutSize(), '\0');
  uint64_t written = 0;
  bool is_whole = false;  // the last frame has ended
  ~State() { ZSTD_freeDStream(stream); }
};

DecompressingSink::DecompressingSink(Sink& next, uint64_t limit) : state_(new State), next_(next), limit_(limit) {
  ZSTD_DCtx_setParameter(state_->stream, ZSTD_d_windowLogMax, kLargestWindowLog);
}

DecompressingSink::~DecompressingSink() = default;

Status DecompressingSink::write(std::string_view bytes) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  bool is_full = false;  // more may come out without anything going in
  while (in.pos < in.size || is_full) {
    if (state_->is_whole && in.pos < in.size) return Error{ErrorCode::corrupt, 0, "bytes behind the compressed content"};
    ZSTD_outBuffer out{state_->buffer.data(), state_->buffer.size(), 0};
    size_t rest = ZSTD_decompressStream(state_->stream, &out, &in);
    if (ZSTD_isError(rest)) return Error{ErrorCode::corrupt, 0, std::string("compressed content: ") + ZSTD_getErrorName(rest)};
    state_->written += out.pos;
    if (state_->written > limit_) return Error{ErrorCode::too_large, 0, "more content than was announced"};
    if (out.pos > 0) KACHE_TRY(next_.write(std::string_view(state_->buffer).substr(0, out.pos)));
    state_->is_whole = rest == 0;
    is_full = out.pos == out.size && rest != 0;
  }
  return Ok{};
}

Status DecompressingSink::finish() {
  if (!state_->is_whole) return Error{ErrorCode::corrupt, 0, "compressed content is cut off"};
  return Ok{};
}

struct CompressingSink::State {
  ZSTD_CStream* stream = ZSTD_createCStream();
  std::string buffer = std::string(ZSTD_CStreamOutSize(), '\0');
  ~State() { ZSTD_freeCStream(stream); }
};

CompressingSink::CompressingSink(Sink& next, int level, int window_log) : state_(new State), next_(next) {
  ZSTD_CCtx_setParameter(state_->stream, ZSTD_c_compressionLevel, level);
  if (window_log == 0) return;
  ZSTD_CCtx_setParameter(state_->stream, ZSTD_c_windowLog, window_log);
  ZSTD_CCtx_setParameter(state_->stream, ZSTD_c_enableLongDistanceMatching, 1);
}

CompressingSink::~CompressingSink() = default;

Status CompressingSink::pass(std::string_view bytes, bool is_end) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  size_t rest = 0;
  do {
    ZSTD_outBuffer out{state_->buffer.data(), state_->buffer.size(), 0};
    rest = ZSTD_compressStream2(state_->stream, &out, &in, is_end ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(rest)) return Error{ErrorCode::io, 0, std::string("zstd: ") + ZSTD_getErrorName(rest)};
    if (out.pos > 0) KACHE_TRY(next_.write(std::string_view(state_->buffer).substr(0, out.pos)));
  } while (is_end ? rest != 0 : in.pos < in.size);
  return Ok{};
}

Status CompressingSink::write(std::string_view bytes) { return pass(bytes, false); }

Status CompressingSink::finish() { return pass({}, true); }

Result<std::string> decompress(std::string_view bytes, uint64_t limit) {
  StringSink whole;
  DecompressingSink sink(whole, limit);
  KACHE_TRY(sink.write(bytes));
  KACHE_TRY(sink.finish());
  return std::move(whole).take();
}

}  // namespace kache
