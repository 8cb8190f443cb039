// Digest: 32 bytes of BLAKE3. Everything content-addressed in kache is named by one.
//
// `Hasher` frames every field by its length, so that no two different field lists feed the same bytes
// ("ab"+"c" is not "a"+"bc"). Raw file content goes through `digest_bytes`/`update_raw`, unframed: a blob's
// digest is plain BLAKE3-256 of its bytes, as `b3sum` prints it.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

extern "C" {
#include "blake3.h"
}

namespace kache {

struct Digest {
  std::array<uint8_t, 32> bytes{};

  bool operator==(const Digest&) const = default;
  auto operator<=>(const Digest&) const = default;
  bool is_zero() const { return *this == Digest{}; }

  // 64 lower-case hexadecimal digits.
  std::string hex() const;
  // Returns false, leaving `out` alone, unless `text` is exactly 64 lower-case hexadecimal digits.
  static bool parse_hex(std::string_view text, Digest& out);

  // The first eight bytes as a number: already uniform, so good enough to pick a slot or a file.
  uint64_t prefix64() const {
    uint64_t n;
    std::memcpy(&n, bytes.data(), sizeof n);
    return n;
  }
};

// Two digests that mean different things are two types (an ActionKey can not be passed as a BlobId).
template <typename Tag>
struct TypedDigest {
  Digest digest;
  bool operator==(const TypedDigest&) const = default;
  auto operator<=>(const TypedDigest&) const = default;
  std::string hex() const { return digest.hex(); }
};
using BlobId = TypedDigest<struct BlobTag>;               // content of a file
using InvocationKey = TypedDigest<struct InvocationTag>;  // what was asked: toolchain + argv
using ActionKey = TypedDigest<struct ActionTag>;          // what was asked and everything that was read

class Hasher {
 public:
  Hasher() { blake3_hasher_init(&state_); }

  // A framed field. `label` says what the field is; it is part of the hash.
  Hasher& field(std::string_view label, std::string_view value);
  Hasher& field(std::string_view label, uint64_t value);
  Hasher& field(std::string_view label, const Digest& value);

  Hasher& update_raw(const void* data, size_t size) {
    blake3_hasher_update(&state_, data, size);
    return *this;
  }

  // May be called several times; does not change the state.
  Digest finish() const;

 private:
  void frame(std::string_view bytes);
  blake3_hasher state_;
};

Digest digest_bytes(std::string_view bytes);

}  // namespace kache
