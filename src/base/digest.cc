#include "base/digest.h"

namespace kache {

static constexpr char kHexDigits[] = "0123456789abcdef";

std::string Digest::hex() const {
  std::string text(64, '0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    text[2 * i] = kHexDigits[bytes[i] >> 4];
    text[2 * i + 1] = kHexDigits[bytes[i] & 15];
  }
  return text;
}

static int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool Digest::parse_hex(std::string_view text, Digest& out) {
  if (text.size() != 64) return false;
  Digest parsed;
  for (size_t i = 0; i < 32; ++i) {
    int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    parsed.bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  out = parsed;
  return true;
}

void Hasher::frame(std::string_view bytes) {
  uint64_t size = bytes.size();
  uint8_t prefix[8];
  for (int i = 0; i < 8; ++i) prefix[i] = static_cast<uint8_t>(size >> (8 * i));
  blake3_hasher_update(&state_, prefix, sizeof prefix);
  blake3_hasher_update(&state_, bytes.data(), bytes.size());
}

Hasher& Hasher::field(std::string_view label, std::string_view value) {
  frame(label);
  frame(value);
  return *this;
}

Hasher& Hasher::field(std::string_view label, uint64_t value) {
  uint8_t little[8];
  for (int i = 0; i < 8; ++i) little[i] = static_cast<uint8_t>(value >> (8 * i));
  return field(label, std::string_view(reinterpret_cast<const char*>(little), sizeof little));
}

Hasher& Hasher::field(std::string_view label, const Digest& value) {
  return field(label, std::string_view(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()));
}

Digest Hasher::finish() const {
  Digest out;
  blake3_hasher_finalize(&state_, out.bytes.data(), out.bytes.size());
  return out;
}

Digest digest_bytes(std::string_view bytes) { return Hasher().update_raw(bytes.data(), bytes.size()).finish(); }

}  // namespace kache
