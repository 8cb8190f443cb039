#include "remote/envelope.h"

#include "base/bytes.h"
#include "base/frame.h"
#include "remote/compress.h"

namespace kache {
namespace {

constexpr std::string_view kMagic = "KREMOT01";

// What a signature is about: these very bytes under this very name, and nothing else that kache ever signs.
Digest signed_message(const ObjectName& name, uint64_t payload_size, std::string_view packed) {
  return Hasher()
      .field("kache remote object", kMagic)
      .field("name", name.text())
      .field("size", payload_size)
      .field("content", digest_bytes(packed))
      .finish();
}

}  // namespace

std::string seal_envelope(const ObjectName& name, std::string_view payload, int level, const SigningKey* signer) {
  std::string packed = compress(payload, level);
  ByteWriter out;
  out.text(name.text());
  out.u64(payload.size());
  out.u8(signer ? 1 : 0);
  if (signer) {
    Signature signature = signer->sign(signed_message(name, payload.size(), packed));
    out.raw({reinterpret_cast<const char*>(signature.signer.bytes.data()), signature.signer.bytes.size()});
    out.raw({reinterpret_cast<const char*>(signature.bytes.data()), signature.bytes.size()});
  }
  out.text(packed);
  return seal_frame(kMagic, std::move(out).take());
}

Result<Opened> open_envelope(const ObjectName& name, std::string_view bytes, const Trust& trust, uint64_t max_payload) {
  ByteReader in(KACHE_TRY(open_frame(kMagic, bytes)));
  std::string_view own_name = in.text();
  uint64_t size = in.u64();
  uint8_t has_signature = in.u8();
  Signature signature;
  if (has_signature == 1) {
    std::string_view signer = in.raw(signature.signer.bytes.size()), text = in.raw(signature.bytes.size());
    if (in.ok()) {
      std::memcpy(signature.signer.bytes.data(), signer.data(), signer.size());
      std::memcpy(signature.bytes.data(), text.data(), text.size());
    }
  }
  std::string_view packed = in.text();
  if (!in.ok() || !in.at_end() || has_signature > 1) return Error{ErrorCode::corrupt, 0, "malformed object"};
  if (own_name != name.text()) return Error{ErrorCode::corrupt, 0, "object of another name"};
  if (size > max_payload) return Error{ErrorCode::too_large, 0, "object of " + std::to_string(size) + " bytes"};

  Opened opened;
  if (trust.requires_signature) {
    if (has_signature == 0) return Error{ErrorCode::denied, 0, "not signed"};
    if (!trust.knows(signature.signer)) return Error{ErrorCode::denied, 0, "signed by " + signature.signer.text() + ", which is not trusted"};
  }
  if (has_signature == 1) {
    bool good = verify(signature, signed_message(name, size, packed));
    if (!good && trust.requires_signature) return Error{ErrorCode::denied, 0, "the signature is not good"};
    if (!good) return Error{ErrorCode::corrupt, 0, "the signature is not good"};
    opened.signer = signature.signer;
  }
  opened.payload = KACHE_TRY(decompress(packed, size));
  if (opened.payload.size() != size) return Error{ErrorCode::corrupt, 0, "less content than was announced"};
  return opened;
}

}  // namespace kache
