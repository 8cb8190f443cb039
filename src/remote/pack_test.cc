#include "remote/pack.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/bytes.h"

namespace kache {
namespace {

// What the reader said, as text.
class Notes final : public PackTaker {
 public:
  Status begin(const PackItem& item) override {
    text += "<" + std::to_string(item.kind) + " " + item.digest.hex().substr(0, 4) + " " + std::to_string(item.size) + ":";
    return refuses ? Status(Error{ErrorCode::denied, 0, "refused"}) : Status(Ok{});
  }
  Status content(std::string_view bytes) override {
    text += bytes;
    return Ok{};
  }
  Status end() override {
    text += ">";
    return Ok{};
  }
  std::string text;
  bool refuses = false;
};

Digest digest(int byte) {
  Digest digest{};
  digest.bytes.fill(static_cast<uint8_t>(byte));
  return digest;
}

std::string sample() {
  return pack_head() + encode_pack_item({PackItem::blob, digest(0x11), 3}) + "abc" + encode_pack_item({PackItem::blob, digest(0x22), 0}) +
         encode_pack_item({PackItem::record, digest(0x33), 2}) + "de" + encode_pack_item({PackItem::traces, digest(0x44), 1}) + "f" + encode_pack_item({});
}

TEST(PackTest, items_come_out_as_they_went_in_whatever_the_pieces) {
  for (size_t piece : {1u, 2u, 7u, 40u, 41u, 1000u}) {
    Notes notes;
    PackReader reader(notes);
    std::string bytes = sample();
    for (size_t at = 0; at < bytes.size(); at += piece) ASSERT_TRUE(reader.write(std::string_view(bytes).substr(at, piece)).ok()) << piece;
    EXPECT_TRUE(reader.finish().ok());
    EXPECT_EQ(notes.text, "<1 1111 3:abc><1 2222 0:><2 3333 2:de><3 4444 1:f>");
  }
}

TEST(PackTest, every_cut_is_noticed) {
  std::string bytes = sample();
  for (size_t size = 0; size < bytes.size(); ++size) {
    Notes notes;
    PackReader reader(notes);
    ASSERT_TRUE(reader.write(std::string_view(bytes).substr(0, size)).ok()) << size;
    EXPECT_EQ(reader.finish().code(), ErrorCode::corrupt) << size;
  }
}

TEST(PackTest, what_is_no_pack_is_refused) {
  std::string end_with_size = pack_head() + encode_pack_item({PackItem::end, digest(0), 1});
  std::string unknown = pack_head() + "\x07" + encode_pack_item({}).substr(1);
  for (const std::string& bytes : {"KPACKS02" + sample().substr(8), sample() + "x", end_with_size, unknown}) {
    Notes notes;
    PackReader reader(notes);
    EXPECT_EQ(reader.write(bytes).code(), ErrorCode::corrupt) << bytes;
  }
}

TEST(PackTest, a_refusal_ends_it) {
  Notes notes;
  notes.refuses = true;
  PackReader reader(notes);
  EXPECT_EQ(reader.write(sample()).code(), ErrorCode::denied);
  EXPECT_EQ(notes.text, "<1 1111 3:");
}

}  // namespace
}  // namespace kache
