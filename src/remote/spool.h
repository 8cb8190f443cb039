// Spool: bytes that are needed once more in a moment. Small ones stay in memory, large ones in a file that has no name.
#pragma once

#include <string>
#include <string_view>

#include "remote/remote.h"

namespace kache {

class Spool {
 public:
  // `dir`: "" keeps nothing above `held_bytes`.
  Spool(std::string dir, uint64_t held_bytes) : dir_(std::move(dir)), held_bytes_(held_bytes) {}
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  ~Spool();

  // False: it could not be kept, and nothing is kept any more.
  bool add(std::string_view bytes);
  void clear();
  bool is_whole() const { return is_whole_; }
  uint64_t size() const { return size_; }
  // What is in memory: all of it up to `held_bytes`.
  std::string_view held() const { return held_; }

  Result<size_t> read_at(uint64_t offset, char* buffer, size_t size) const;

 private:
  bool write_out(std::string_view bytes);

  std::string dir_;
  uint64_t held_bytes_;
  std::string held_;
  int fd_ = -1;
  uint64_t size_ = 0;
  bool is_whole_ = true;
};

// For one reader; several may read one spool at once.
class SpoolSource final : public Source {
 public:
  explicit SpoolSource(const Spool& spool) : spool_(spool) {}
  uint64_t size() const override { return spool_.size(); }
  Status rewind() override {
    at_ = 0;
    return Ok{};
  }
  Result<size_t> read(char* buffer, size_t size) override {
    size_t got = KACHE_TRY(spool_.read_at(at_, buffer, size));
    at_ += got;
    return got;
  }

 private:
  const Spool& spool_;
  uint64_t at_ = 0;
};

}  // namespace kache
