#include "remote/envelope.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/frame.h"
#include "remote/compress.h"

namespace kache {
namespace {

const ObjectName kName = ObjectName::record(ActionKey{digest_bytes("one")});
const ObjectName kOther = ObjectName::record(ActionKey{digest_bytes("other")});
const std::string kPayload = "what is inside, what is inside, what is inside";
constexpr uint64_t kLimit = 1000;

// An envelope by hand, with a checksum that is good.
std::string made(std::string_view name, uint64_t size, uint8_t has_signature, std::string_view packed, std::string_view behind = "") {
  ByteWriter out;
  out.text(name);
  out.u64(size);
  out.u8(has_signature);
  out.text(packed);
  out.raw(behind);
  return seal_frame("KREMOT01", std::move(out).take());
}

TEST(EnvelopeTest, gives_back_what_was_sealed) {
  SigningKey key = SigningKey::generate();
  for (const SigningKey* signer : {static_cast<const SigningKey*>(nullptr), static_cast<const SigningKey*>(&key)}) {
    for (const std::string& payload : {std::string(), kPayload}) {
      Opened opened = open_envelope(kName, seal_envelope(kName, payload, 3, signer), {}, kLimit).value();
      EXPECT_EQ(opened.payload, payload);
      EXPECT_EQ(opened.signer.has_value(), signer != nullptr);
      if (signer) { EXPECT_EQ(*opened.signer, key.public_key()); }
    }
  }
}

TEST(EnvelopeTest, every_flipped_bit_and_every_cut_is_found) {
  SigningKey key = SigningKey::generate();
  std::string sealed = seal_envelope(kName, kPayload, 3, &key);
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string flipped = sealed;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
    EXPECT_EQ(open_envelope(kName, flipped, {}, kLimit).code(), ErrorCode::corrupt) << i;
    EXPECT_EQ(open_envelope(kName, std::string_view(sealed).substr(0, i), {}, kLimit).code(), ErrorCode::corrupt) << i;
  }
  EXPECT_EQ(open_envelope(kName, sealed + "x", {}, kLimit).code(), ErrorCode::corrupt);
}

TEST(EnvelopeTest, is_of_one_name) {
  SigningKey key = SigningKey::generate();
  EXPECT_EQ(open_envelope(kOther, seal_envelope(kName, kPayload, 3, nullptr), {}, kLimit).code(), ErrorCode::corrupt);
  // Also where somebody has written the other name over it: the signature is about the first one.
  std::string sealed = seal_envelope(kName, kPayload, 3, &key);
  std::string body = sealed.substr(8, sealed.size() - 24);
  body.replace(body.find(kName.text()), kName.text().size(), kOther.text());
  std::string renamed = seal_frame("KREMOT01", body);
  EXPECT_EQ(open_envelope(kOther, renamed, {}, kLimit).code(), ErrorCode::corrupt);
  EXPECT_EQ(open_envelope(kOther, renamed, {{key.public_key()}, true}, kLimit).code(), ErrorCode::denied);
}

TEST(EnvelopeTest, is_signed_by_whom_one_trusts) {
  SigningKey friendly = SigningKey::generate(), stranger = SigningKey::generate();
  Trust trust{{friendly.public_key()}, true};
  EXPECT_TRUE(open_envelope(kName, seal_envelope(kName, kPayload, 3, &friendly), trust, kLimit).ok());
  EXPECT_EQ(open_envelope(kName, seal_envelope(kName, kPayload, 3, nullptr), trust, kLimit).code(), ErrorCode::denied);
  Result<Opened> refused = open_envelope(kName, seal_envelope(kName, kPayload, 3, &stranger), trust, kLimit);
  EXPECT_EQ(refused.code(), ErrorCode::denied);
  EXPECT_EQ(refused.error().message, "signed by " + stranger.public_key().text() + ", which is not trusted");
  // The name of a friend with the signature of a stranger.
  std::string sealed = seal_envelope(kName, kPayload, 3, &stranger);
  std::string body = sealed.substr(8, sealed.size() - 24);
  auto raw = [](const PublicKey& key) { return std::string(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()); };
  body.replace(body.find(raw(stranger.public_key())), 32, raw(friendly.public_key()));
  EXPECT_EQ(open_envelope(kName, seal_frame("KREMOT01", body), trust, kLimit).code(), ErrorCode::denied);
  EXPECT_EQ(open_envelope(kName, seal_frame("KREMOT01", body), {}, kLimit).code(), ErrorCode::corrupt);
}

TEST(EnvelopeTest, holds_what_it_announces_and_no_more_than_is_allowed) {
  std::string packed = compress(kPayload, 3);
  EXPECT_TRUE(open_envelope(kName, made(kName.text(), kPayload.size(), 0, packed), {}, kLimit).ok());
  EXPECT_EQ(open_envelope(kName, made(kName.text(), kPayload.size() + 1, 0, packed), {}, kLimit).code(), ErrorCode::corrupt);
  EXPECT_EQ(open_envelope(kName, made(kName.text(), kPayload.size() - 1, 0, packed), {}, kLimit).code(), ErrorCode::too_large);
  EXPECT_EQ(open_envelope(kName, made(kName.text(), kLimit + 1, 0, packed), {}, kLimit).code(), ErrorCode::too_large);
  EXPECT_EQ(open_envelope(kName, made(kName.text(), UINT64_MAX, 0, packed), {}, kLimit).code(), ErrorCode::too_large);
  std::string bomb = compress(std::string(64 << 20, '\0'), 3);
  EXPECT_EQ(open_envelope(kName, made(kName.text(), 100, 0, bomb), {}, kLimit).code(), ErrorCode::too_large);
}

TEST(EnvelopeTest, other_shapes_are_refused) {
  std::string packed = compress(kPayload, 3);
  EXPECT_EQ(open_envelope(kName, made(kName.text(), kPayload.size(), 2, packed), {}, kLimit).code(), ErrorCode::corrupt);
  EXPECT_EQ(open_envelope(kName, made(kName.text(), kPayload.size(), 1, packed), {}, kLimit).code(), ErrorCode::corrupt);
  EXPECT_EQ(open_envelope(kName, made(kName.text(), kPayload.size(), 0, packed, "x"), {}, kLimit).code(), ErrorCode::corrupt);
  EXPECT_EQ(open_envelope(kName, made(kName.text(), kPayload.size(), 0, kPayload), {}, kLimit).code(), ErrorCode::corrupt);
  EXPECT_EQ(open_envelope(kName, seal_frame("KENTRY01", kPayload), {}, kLimit).code(), ErrorCode::corrupt);
}

}  // namespace
}  // namespace kache
