#include "remote/object_name.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

const Digest kDigest = digest_bytes("one");

TEST(ObjectNameTest, has_one_text_and_is_read_from_it) {
  std::string hex = kDigest.hex(), below = hex.substr(0, 2) + "/" + hex;
  struct Row {
    ObjectName name;
    ObjectKind kind;
    std::string text, word;
  };
  for (const Row& row : {Row{ObjectName::record(ActionKey{kDigest}), ObjectKind::record, "k1/records/" + below, hex},
                         Row{ObjectName::traces(InvocationKey{kDigest}), ObjectKind::traces, "k1/traces/" + below, hex},
                         Row{ObjectName::blob(BlobId{kDigest}), ObjectKind::blob, "k1/blobs/" + below, hex},
                         Row{ObjectName::pack(kDigest), ObjectKind::pack, "k1/packs/" + below, hex},
                         Row{ObjectName::session("app", "8199999999-1"), ObjectKind::session, "k1/sessions/app/8199999999-1", "8199999999-1"},
                         Row{ObjectName::control("gc-lease"), ObjectKind::control, "k1/control/gc-lease", "gc-lease"}}) {
    EXPECT_EQ(row.name.text(), row.text);
    EXPECT_EQ(row.name.word(), row.word);
    EXPECT_TRUE(row.text.starts_with(kind_prefix(row.kind)));
    Result<ObjectName> parsed = ObjectName::parse(row.text);
    ASSERT_TRUE(parsed.ok()) << row.text;
    EXPECT_EQ(*parsed, row.name);
    EXPECT_EQ(parsed->kind(), row.kind);
    EXPECT_EQ(parsed->digest(), row.name.digest());
  }
}

TEST(ObjectNameTest, all_else_is_refused) {
  std::string hex = kDigest.hex(), good = ObjectName::blob({kDigest}).text(), upper = good;
  upper.back() = 'G';
  std::string wrong_shard = "k1/blobs/" + std::string(hex.starts_with("00") ? "01" : "00") + "/" + hex;
  for (const std::string& text : std::vector<std::string>{
           "", "k1", "k1/", "k1/blobs/", "k2" + good.substr(2), "/" + good, good + "/", good + "x", good.substr(0, good.size() - 1), upper, wrong_shard,
           "k1/blobs/" + hex, "k1/unknown/ab/" + hex, "k1/sessions/app", "k1/sessions/app/", "k1/sessions//x", "k1/sessions/a/b/c", "k1/sessions/../x",
           "k1/sessions/app/..", "k1/sessions/.a/x", "k1/control/", "k1/control/a/b", "k1/control/..", "k1/control/a b", "k1/control/-x",
           std::string("k1/control/a\0b", 14), "k1/control/" + std::string(129, 'a'), "k1/control/\xc3\xa4"}) {
    EXPECT_EQ(ObjectName::parse(text).code(), ErrorCode::corrupt) << text;
  }
}

TEST(ObjectNameTest, a_word_is_safe_everywhere) {
  for (const char* good : {"a", "A-1", "a.b_c-d", "0", "_x"}) EXPECT_TRUE(is_word(good)) << good;
  EXPECT_TRUE(is_word(std::string(128, 'a')));
  for (const char* bad : {"", ".", "..", ".a", "-a", "a/b", "a b", "a\\b", "a\n", "ä", "a:b", "a%2f"}) EXPECT_FALSE(is_word(bad)) << bad;
  EXPECT_FALSE(is_word(std::string(129, 'a')));
}

}  // namespace
}  // namespace kache
