// zstd, bounded.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "remote/remote.h"

namespace kache {

std::string compress(std::string_view bytes, int level);
// `too_large` when more than `limit` would come out, `corrupt` when it is no whole stream of zstd.
Result<std::string> decompress(std::string_view bytes, uint64_t limit);

// Unpacks what is written to it and hands it on; `too_large` when more than `limit` comes out.
class DecompressingSink final : public Sink {
 public:
  DecompressingSink(Sink& next, uint64_t limit);
  ~DecompressingSink() override;
  Status write(std::string_view bytes) override;
  // To be called at the end: `corrupt` when the stream is not whole.
  Status finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
  Sink& next_;
  uint64_t limit_;
};

// Packs what is written to it and hands it on. `window_log`: how far back it looks for what it has seen; 0: as the level has it.
class CompressingSink final : public Sink {
 public:
  CompressingSink(Sink& next, int level, int window_log = 0);
  ~CompressingSink() override;
  Status write(std::string_view bytes) override;
  // To be called at the end.
  Status finish();

 private:
  Status pass(std::string_view bytes, bool is_end);
  struct State;
  std::unique_ptr<State> state_;
  Sink& next_;
};

// The levels of zstd that may be asked for.
inline constexpr int kLowestLevel = 1, kHighestLevel = 22;
// Windows above 128 MiB are refused: they are memory that a stranger would make us take.
inline constexpr int kLargestWindowLog = 27;

}  // namespace kache
