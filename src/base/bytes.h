// Reading and writing the small binary files of the store: little-endian, length-framed.
//
// `ByteReader` is for untrusted bytes: it never reads past its end, and after the first failure every read returns
// zero values and `ok()` stays false, so a parser can read a whole structure and check once. It never allocates more
// than its input holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"

namespace kache {

class ByteWriter {
 public:
  void u8(uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void u32(uint32_t v) { fixed(v, 4); }
  void u64(uint64_t v) { fixed(v, 8); }
  void i64(int64_t v) { fixed(static_cast<uint64_t>(v), 8); }
  // LEB128, for counts and lengths.
  void varint(uint64_t v);
  void digest(const Digest& d) { raw({reinterpret_cast<const char*>(d.bytes.data()), d.bytes.size()}); }
  // Length (varint), then the bytes.
  void text(std::string_view s) {
    varint(s.size());
    raw(s);
  }
  void raw(std::string_view s) { out_.append(s); }

  size_t size() const { return out_.size(); }
  const std::string& bytes() const { return out_; }
  std::string take() && { return std::move(out_); }

 private:
  void fixed(uint64_t v, int count) {
    for (int i = 0; i < count; ++i) out_.push_back(static_cast<char>(v >> (8 * i)));
  }
  std::string out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  uint8_t u8() { return static_cast<uint8_t>(fixed(1)); }
  uint32_t u32() { return static_cast<uint32_t>(fixed(4)); }
  uint64_t u64() { return fixed(8); }
  int64_t i64() { return static_cast<int64_t>(fixed(8)); }
  uint64_t varint();
  Digest digest();
  std::string_view text() { return raw(varint()); }
  std::string_view raw(uint64_t size);
  // A count of things that each take at least `min_size` bytes: fails when the rest could not hold so many.
  uint64_t count(uint64_t min_size = 1);

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  size_t remaining() const { return rest_.size(); }
  void fail() {
    ok_ = false;
    rest_ = {};
  }

 private:
  uint64_t fixed(size_t count);
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace kache
