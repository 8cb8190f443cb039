#include "remote/session.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/exchange_lab.h"
#include "tests/support/session_unit.h"

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// --- what is written ---------------------------------------------------------------------------------------------------

TEST(SessionTest, is_read_as_it_is_written) {
  RecordedSession session{"space", "main", 77, {session_unit(1), session_unit(2)}, {{digest_bytes("pack"), {}, 5, 6, 7}, {digest_bytes("other"), PublicKey{{1, 2}}, 7, 8, 9}}};
  session.units[1].pack = 2;
  RecordedSession again = decode_session(encode_session(session)).value();
  EXPECT_EQ(again.space, "space");
  EXPECT_EQ(again.branch, "main");
  EXPECT_EQ(again.created_ns, 77);
  ASSERT_EQ(again.units.size(), 2u);
  EXPECT_EQ(again.units[1].action, session_unit(2).action);
  EXPECT_EQ(again.units[1].invocation, session_unit(2).invocation);
  EXPECT_EQ(again.units[1].crate_name, "unit2");
  EXPECT_EQ(again.units[1].compile_ms, 12u);
  EXPECT_EQ(again.units[1].size, 100u);
  EXPECT_EQ(again.units[1].offset_ms, 2u);
  EXPECT_EQ(again.units[0].pack, 0u);
  EXPECT_EQ(again.units[1].pack, 2u);
  ASSERT_EQ(again.packs.size(), 2u);
  EXPECT_EQ(again.packs[0].name, digest_bytes("pack"));
  EXPECT_FALSE(again.packs[0].signer);
  EXPECT_EQ(again.packs[1].signer, (PublicKey{{1, 2}}));
  EXPECT_EQ(again.packs[1].bytes, 7u);
  EXPECT_EQ(again.packs[1].original_bytes, 8u);
  EXPECT_EQ(again.packs[1].output_bytes, 9u);
}

TEST(SessionTest, every_cut_and_every_addition_is_refused) {
  std::string bytes = encode_session({"space", "main", 77, {session_unit(1), session_unit(2)}, {{digest_bytes("pack"), PublicKey{}, 5, 6, 7}}});
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_session(bytes.substr(0, size)).ok()) << size;
  EXPECT_FALSE(decode_session(bytes + "x").ok());
}

TEST(SessionTest, a_unit_in_a_pack_that_is_not_there_is_refused) {
  RecordedSession session{"space", "main", 77, {session_unit(1)}, {{digest_bytes("pack"), {}, 5, 6, 7}}};
  session.units[0].pack = 2;
  EXPECT_EQ(decode_session(encode_session(session)).code(), ErrorCode::corrupt);
}

TEST(SessionTest, the_word_of_a_newer_one_is_listed_first) {
  std::string last;
  for (int64_t seconds : {int64_t{9'000'000'000}, int64_t{4'000'000'000}, int64_t{1'800'000'001}, int64_t{1'800'000'000}, int64_t{1}, int64_t{0}}) {
    std::string word = session_word(seconds * kSecond, 7);
    EXPECT_LT(last, word);
    EXPECT_TRUE(is_word(word)) << word;
    last = word;
  }
  EXPECT_NE(session_word(kSecond, 1), session_word(kSecond, 2));
  EXPECT_EQ(session_word(1'800'000'000 * kSecond, UINT64_MAX), "8199999999-ffffffffffffffff");
}

// --- what belongs together ---------------------------------------------------------------------------------------------

class NamespaceTest : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    (void)make_dirs(disk_, path.substr(0, path.rfind('/')), 0755);
    (void)disk_.unlink(path);
    ASSERT_TRUE(disk_.create(path, text, 0644).ok());
  }
  void clone(const std::string& url) {
    write("/work/app/.git/HEAD", "ref: refs/heads/main\n");
    write("/work/app/.git/config", "[core]\n\tbare = false\n[remote \"fork\"]\n\turl = https://elsewhere/x\n[remote \"origin\"]\n\turl = " + url +
                                       "\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[branch \"main\"]\n\tremote = origin\n");
  }
  std::string space(const std::string& root = "/work/app", std::string_view given = "") { return namespace_of(disk_, given, root).space; }

  ManualClock clock_;
  MemFileSystem disk_{clock_};
};

TEST_F(NamespaceTest, every_way_to_write_an_origin_is_the_same_place) {
  clone("https://host.example/group/app.git");
  std::string same = space();
  EXPECT_TRUE(is_word(same));
  EXPECT_TRUE(same.starts_with("host.example-group-app-")) << same;
  for (const char* url : {"git@host.example:group/app.git", "https://host.example/group/app", "https://host.example/group/app/",
                          "https://user:token@host.example/group/app.git", "ssh://git@host.example/group/app.git", "git://host.example/group/app.git",
                          "https://host.example/group/app.git  ", "host.example:group/app"}) {
    clone(url);
    EXPECT_EQ(space(), same) << url;
  }
  for (const char* url : {"https://host.example/group/app2", "https://other.example/group/app", "https://host.example/group-app"}) {
    clone(url);
    EXPECT_NE(space(), same) << url;
  }
}

TEST_F(NamespaceTest, no_secret_of_an_origin_is_in_the_name) {
  clone("https://user:s3cret@host.example/group/app.git");
  EXPECT_EQ(space().find("s3cret"), std::string::npos);
  EXPECT_EQ(space().find("user"), std::string::npos);
}

TEST_F(NamespaceTest, a_directory_below_belongs_to_its_repository) {
  clone("https://host.example/group/app.git");
  (void)make_dirs(disk_, "/work/app/deep/below", 0755);
  EXPECT_EQ(space("/work/app/deep/below"), space());
  EXPECT_EQ(namespace_of(disk_, "", "/work/app/deep/below").branch, "main");
}

TEST_F(NamespaceTest, a_worktree_is_of_its_repository_and_of_its_own_branch) {
  clone("https://host.example/group/app.git");
  write("/work/tree/.git", "gitdir: /work/app/.git/worktrees/tree\n");
  write("/work/app/.git/worktrees/tree/HEAD", "ref: refs/heads/topic/deep\n");
  write("/work/app/.git/worktrees/tree/commondir", "../..\n");
  Namespace name = namespace_of(disk_, "", "/work/tree");
  EXPECT_EQ(name.space, space());
  EXPECT_EQ(name.branch, "topic/deep");
}

TEST_F(NamespaceTest, a_submodule_has_an_origin_of_its_own) {
  clone("https://host.example/group/app.git");
  write("/work/app/part/.git", "gitdir: ../.git/modules/part\n");
  write("/work/app/.git/modules/part/HEAD", "0123456789012345678901234567890123456789\n");
  write("/work/app/.git/modules/part/config", "[remote \"origin\"]\n\turl = git@host.example:group/part.git\n");
  Namespace name = namespace_of(disk_, "", "/work/app/part");
  EXPECT_TRUE(name.space.starts_with("host.example-group-part-")) << name.space;
  EXPECT_EQ(name.branch, "");  // no branch is checked out
}

TEST_F(NamespaceTest, without_an_origin_the_directory_names_it) {
  (void)make_dirs(disk_, "/work/plain", 0755);
  EXPECT_EQ(space("/work/plain"), "plain");
  write("/work/local/.git/HEAD", "ref: refs/heads/main\n");
  write("/work/local/.git/config", "[core]\n\tbare = false\n[remote \"upstream\"]\n\turl = https://host/x\n");
  EXPECT_EQ(space("/work/local"), "local");
  EXPECT_EQ(space("/"), "root");
  EXPECT_EQ(space(""), "root");
}

TEST_F(NamespaceTest, any_name_becomes_a_word_and_different_ones_stay_different) {
  EXPECT_EQ(space("/work/app", "given-name"), "given-name");
  std::set<std::string> seen;
  const std::string long_name(300, 'n');
  const std::vector<std::string> odd = {"a b", "a/b", "a:b", "..", ".hidden", "-x", "ümläut", "a\nb", "/", long_name, long_name + "2", std::string(128, 'n'), std::string(129, 'n')};
  for (const std::string& given : odd) {
    std::string word = space("/work/app", given);
    EXPECT_TRUE(is_word(word)) << given << " → " << word;
    EXPECT_TRUE(seen.insert(word).second) << given;
  }
}

}  // namespace
}  // namespace kache
