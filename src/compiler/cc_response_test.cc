#include "compiler/cc_response.h"

#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"

namespace kache {
namespace {

using Words = std::vector<std::string>;

TEST(CcResponse, SplitsAsTheGnuToolsDo) {
  EXPECT_EQ(split_quoted(" -c  a.c\n\t-o\r\nb.o ", Quoting::gnu), (Words{"-c", "a.c", "-o", "b.o"}));
  EXPECT_EQ(split_quoted(R"('-DX="a b"' "-DY='c d'" -DZ=\"e\\f\" '')", Quoting::gnu),
            (Words{R"(-DX="a b")", "-DY='c d'", R"(-DZ="e\f")", ""}));
  EXPECT_EQ(split_quoted(R"(a\ b 'c\'d' "e\"f" g\)", Quoting::gnu), (Words{"a b", "c'd", "e\"f", "g"}));
  EXPECT_EQ(split_quoted("a'b c'd", Quoting::gnu), (Words{"ab cd"}));
  EXPECT_EQ(split_quoted("'never ends", Quoting::gnu), (Words{"never ends"}));
}

TEST(CcResponse, SplitsAsWindowsDoes) {
  EXPECT_EQ(split_quoted(R"(/Fo"C:\x y\\" C:\a\b 'c d')", Quoting::windows), (Words{R"(/FoC:\x y\)", R"(C:\a\b)", "'c", "d'"}));
  EXPECT_EQ(split_quoted(R"(-DX=\"a\" "b""c" \\\"d)", Quoting::windows), (Words{R"(-DX="a")", R"(b"c)", R"(\"d)"}));
}

class Files : public ::testing::Test {
 protected:
  Result<QuotedArgs> expand(const Words& args) { return expand_quoted_files(fs, args, "/w", Quoting::gnu); }
  void write(const std::string& path, std::string_view bytes) { ASSERT_TRUE(fs.create(path, bytes, 0644).ok()); }
  void SetUp() override { ASSERT_TRUE(fs.make_dir("/w", 0755).ok()); }
  ManualClock clock;
  MemFileSystem fs{clock};
};

TEST_F(Files, StandForTheirWordsAlsoInsideEachOther) {
  write("/w/one", "-c @two");
  write("/w/two", "'a b.c' -O2");
  Result<QuotedArgs> out = expand({"-g", "@one", "-o", "x"});
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->args, (Words{"-g", "-c", "a b.c", "-O2", "-o", "x"}));
  EXPECT_EQ(out->files, (Words{"/w/one", "/w/two"}));
}

TEST_F(Files, ThatAreNotThereStayWords) {
  Result<QuotedArgs> out = expand({"@none", "@", "@/w"});
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->args, (Words{"@none", "@", "@/w"}));
}

TEST_F(Files, WithoutEndAreAnError) {
  write("/w/loop", "@loop");
  EXPECT_EQ(expand({"@loop"}).code(), ErrorCode::invalid);
  write("/w/zero", std::string_view("a\0b", 3));
  EXPECT_EQ(expand({"@zero"}).code(), ErrorCode::invalid);
}

}  // namespace
}  // namespace kache
