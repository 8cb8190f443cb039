#include "base/bytes.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

TEST(Bytes, round_trips_every_kind) {
  ByteWriter w;
  w.u8(7);
  w.u32(0xdeadbeef);
  w.u64(~uint64_t{0});
  w.i64(-5);
  w.varint(0);
  w.varint(~uint64_t{0});
  w.digest(digest_bytes("x"));
  w.text("hello");
  ByteReader r(w.bytes());
  EXPECT_EQ(r.u8(), 7);
  EXPECT_EQ(r.u32(), 0xdeadbeef);
  EXPECT_EQ(r.u64(), ~uint64_t{0});
  EXPECT_EQ(r.i64(), -5);
  EXPECT_EQ(r.varint(), 0u);
  EXPECT_EQ(r.varint(), ~uint64_t{0});
  EXPECT_EQ(r.digest(), digest_bytes("x"));
  EXPECT_EQ(r.text(), "hello");
  EXPECT_TRUE(r.ok());
  EXPECT_TRUE(r.at_end());
}

TEST(Bytes, every_truncation_fails_and_stays_failed) {
  ByteWriter w;
  w.u64(1);
  w.text("0123456789");
  w.digest(digest_bytes("x"));
  for (size_t cut = 0; cut < w.size(); ++cut) {
    ByteReader r(std::string_view(w.bytes()).substr(0, cut));
    r.u64();
    r.text();
    r.digest();
    EXPECT_FALSE(r.ok()) << cut;
    EXPECT_EQ(r.u32(), 0u);
  }
}

TEST(Bytes, a_length_beyond_the_end_is_refused_without_allocating) {
  ByteWriter w;
  w.varint(uint64_t{1} << 60);
  ByteReader r(w.bytes());
  EXPECT_EQ(r.text(), "");
  EXPECT_FALSE(r.ok());
  ByteReader c(w.bytes());
  EXPECT_EQ(c.count(8), 0u);
  EXPECT_FALSE(c.ok());
}

TEST(Bytes, an_overlong_varint_is_refused) {
  ByteReader r(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10));
  r.varint();
  EXPECT_FALSE(r.ok());
}

TEST(Digest, framing_keeps_field_boundaries_apart) {
  EXPECT_NE(Hasher().field("a", "bc").finish(), Hasher().field("ab", "c").finish());
  EXPECT_NE(Hasher().field("a", "").field("b", "").finish(), Hasher().field("a", "b").finish());
}

TEST(Digest, content_is_plain_blake3) {
  EXPECT_EQ(digest_bytes("").hex(), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
}

TEST(Digest, hex_round_trips_and_rejects_anything_else) {
  Digest d = digest_bytes("q"), parsed;
  ASSERT_TRUE(Digest::parse_hex(d.hex(), parsed));
  EXPECT_EQ(d, parsed);
  EXPECT_FALSE(Digest::parse_hex("", parsed));
  std::string upper = d.hex();
  upper[0] = 'A';
  EXPECT_FALSE(Digest::parse_hex(upper, parsed));
}

}  // namespace
}  // namespace kache
