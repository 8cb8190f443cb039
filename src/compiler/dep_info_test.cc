#include <gtest/gtest.h>

#include "compiler/text_token.h"

namespace kache {
namespace {

// rustc 1.95 and nightly 1.97 (checksums), output directory and sources with spaces; the places are shortened.
constexpr std::string_view kSample =
    "/t/d ir/main.d: /w/sp\\ ace/main.rs sp\\ ace/m.rs sp\\ ace/a:\\ b.txt\n"
    "\n"
    "/t/d ir/main: /w/sp\\ ace/main.rs sp\\ ace/m.rs sp\\ ace/a:\\ b.txt\n"
    "\n"
    "/w/sp\\ ace/main.rs:\n"
    "sp\\ ace/m.rs:\n"
    "sp\\ ace/a:\\ b.txt:\n"
    "\n"
    "# env-dep:EMPTY=\n"
    "# env-dep:SETX=a\\\\b\\nc\\rd e=f\n"
    "# env-dep:UNSET_X\n"
    "# checksum:blake3=34ab file_len:93 /w/sp\\ ace/main.rs\n";

std::string of_kind(const std::vector<TextToken>& tokens, TextToken::Kind kind) {
  std::string out;
  for (const TextToken& token : tokens) {
    if (token.kind == kind) out += token.text + ";";
  }
  return out;
}

TEST(DepInfo, paths_and_values_come_out_unescaped) {
  std::vector<TextToken> tokens = tokenize_dep_info(kSample).value();
  EXPECT_EQ(of_kind(tokens, TextToken::target_path), "/t/d ir/main.d;/t/d ir/main;");
  EXPECT_EQ(of_kind(tokens, TextToken::make_path),
            "/w/sp ace/main.rs;sp ace/m.rs;sp ace/a: b.txt;"
            "/w/sp ace/main.rs;sp ace/m.rs;sp ace/a: b.txt;"
            "/w/sp ace/main.rs;sp ace/m.rs;sp ace/a: b.txt;"
            "/w/sp ace/main.rs;");
  EXPECT_EQ(of_kind(tokens, TextToken::env_value), "a\\b\nc\rd e=f;");
  for (size_t i = 1; i < tokens.size(); ++i) {
    EXPECT_FALSE(tokens[i].kind == TextToken::literal && tokens[i - 1].kind == TextToken::literal) << "not merged";
  }
}

TEST(DepInfo, moved_text_is_what_rustc_would_have_written_there) {
  std::vector<TextToken> tokens = tokenize_dep_info(kSample).value();
  for (TextToken& token : tokens) {
    if (token.text.starts_with("/w/sp ace")) token.text.replace(0, 9, "/v/a b c");
    if (token.text.starts_with("/t/d ir")) token.text.replace(0, 7, "/out put");
  }
  std::string moved = render_tokens(tokens);
  EXPECT_NE(moved.find("/out put/main.d: /v/a\\ b\\ c/main.rs sp\\ ace/m.rs"), std::string::npos) << moved;
  EXPECT_NE(moved.find("\n/v/a\\ b\\ c/main.rs:\n"), std::string::npos) << moved;
}

TEST(DepInfo, is_read_as_make_and_cargo_would) {
  DepInfo info = parse_dep_info(kSample).value();
  EXPECT_EQ(info.targets, (std::vector<std::string>{"/t/d ir/main.d", "/t/d ir/main"}));
  EXPECT_EQ(info.sources, (std::vector<std::string>{"/w/sp ace/main.rs", "sp ace/m.rs", "sp ace/a: b.txt"}));
  ASSERT_EQ(info.env.size(), 3u);
  EXPECT_EQ(info.env[0].name, "EMPTY");
  EXPECT_TRUE(info.env[0].is_set) << "set to nothing is not unset";
  EXPECT_EQ(info.env[0].value, "");
  EXPECT_EQ(info.env[1].name, "SETX");
  EXPECT_EQ(info.env[1].value, "a\\b\nc\rd e=f");
  EXPECT_EQ(info.env[2].name, "UNSET_X");
  EXPECT_FALSE(info.env[2].is_set);
}

TEST(DepInfo, what_is_accepted_comes_back_byte_for_byte) {
  const std::string_view all[] = {
      kSample,
      "x.d: a.rs\n\na.rs:\n",
      "x.d: \n",
      "C:/x y/z.d: C:/a.rs\n",
      "x.d: back\\slash.rs \\\\ x\n",
      "x.d: a\\\\ b trailing\\\n",
      "a::\n",
      "x.d: caf\xc3\xa9.rs \xff\xfe\n",
      "x.d: a\\ \\ b.rs\n",
      "# env-dep:A\n# env-dep:B==\n",
      "\n",
  };
  for (std::string_view text : all) {
    Result<std::vector<TextToken>> tokens = tokenize_dep_info(text);
    ASSERT_TRUE(tokens.ok()) << text;
    EXPECT_EQ(render_tokens(*tokens), text);
  }
}

TEST(DepInfo, anything_else_is_corrupt) {
  const std::string_view all[] = {
      "",
      "x.d: a.rs",             // torn
      "x.d: a.rs\n# env-dep:A=b\\",
      "no rule\n",
      ":\n",
      ": a.rs\n",
      "x.d:  a.rs\n",          // two spaces
      "x.d: a.rs \n",          // one behind
      "a b:\n",                // an escape is missing
      "# something new\n",
      "# checksum:blake3=1 a.rs\n",
      "# checksum:blake3=1 file_len:3\n",
      "# env-dep:A=\\t\n",
      "# env-dep:A=\\\n",
      "# env-dep:A=b\r\n",
      "# env-dep:A\\q\n",
  };
  for (std::string_view text : all) {
    Result<std::vector<TextToken>> tokens = tokenize_dep_info(text);
    ASSERT_FALSE(tokens.ok()) << text;
    EXPECT_EQ(tokens.code(), ErrorCode::corrupt);
    EXPECT_FALSE(parse_dep_info(text).ok());
  }
}

}  // namespace
}  // namespace kache
