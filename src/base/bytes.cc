#include "base/bytes.h"

namespace kache {

void ByteWriter::varint(uint64_t v) {
  while (v >= 0x80) {
    u8(static_cast<uint8_t>(v | 0x80));
    v >>= 7;
  }
  u8(static_cast<uint8_t>(v));
}

uint64_t ByteReader::fixed(size_t count) {
  std::string_view bytes = raw(count);
  uint64_t v = 0;
  for (size_t i = 0; i < bytes.size(); ++i) v |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  return v;
}

uint64_t ByteReader::varint() {
  uint64_t v = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    uint8_t byte = u8();
    if (shift == 63 && byte > 1) break;  // would not fit into 64 bits
    v |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (!(byte & 0x80)) return v;
  }
  fail();
  return 0;
}

Digest ByteReader::digest() {
  Digest d;
  std::string_view bytes = raw(d.bytes.size());
  if (!bytes.empty()) std::memcpy(d.bytes.data(), bytes.data(), d.bytes.size());
  return d;
}

std::string_view ByteReader::raw(uint64_t size) {
  if (size > rest_.size()) {
    fail();
    return {};
  }
  std::string_view out = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return out;
}

uint64_t ByteReader::count(uint64_t min_size) {
  uint64_t n = varint();
  if (n > rest_.size() / min_size) {
    fail();
    return 0;
  }
  return n;
}

}  // namespace kache
