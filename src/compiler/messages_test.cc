#include <gtest/gtest.h>

#include "compiler/text_token.h"

namespace kache {
namespace {

std::vector<std::string> paths_of(std::string_view bytes) {
  std::vector<std::string> paths;
  std::vector<TextToken> tokens = tokenize_messages(bytes);
  EXPECT_EQ(render_tokens(tokens), bytes);
  for (const TextToken& token : tokens) {
    EXPECT_TRUE(token.kind == TextToken::literal || token.kind == TextToken::json_path);
    if (token.kind == TextToken::json_path) paths.push_back(token.text);
  }
  return paths;
}

using Paths = std::vector<std::string>;

// What rustc 1.95 wrote for an output directory called q"t<tab>x<0x01><0x7f>\é.
TEST(Messages, the_path_of_an_artifact_comes_out_unescaped) {
  EXPECT_EQ(paths_of("{\"$message_type\":\"artifact\",\"artifact\":\"/w/t/libfoo-1.rmeta\",\"emit\":\"metadata\"}\n"),
            Paths{"/w/t/libfoo-1.rmeta"});
  EXPECT_EQ(paths_of("{\"$message_type\":\"artifact\",\"artifact\":\"q\\\"t\\tx\\u0001\x7f\\\\\xc3\xa9/main.d\","
                     "\"emit\":\"dep-info\"}\n"),
            Paths{"q\"t\tx\x01\x7f\\\xc3\xa9/main.d"});
}

TEST(Messages, older_compilers_write_no_type) {
  EXPECT_EQ(paths_of("{\"artifact\":\"/w/a.d\",\"emit\":\"dep-info\"}\n"), Paths{"/w/a.d"});
}

TEST(Messages, moved_paths_are_escaped_again) {
  std::vector<TextToken> tokens =
      tokenize_messages("{\"$message_type\":\"artifact\",\"artifact\":\"/w/a.d\",\"emit\":\"dep-info\"}\n");
  tokens[1].text = "/a\"b\\c\n\x1f/a.d";
  EXPECT_EQ(render_tokens(tokens),
            "{\"$message_type\":\"artifact\",\"artifact\":\"/a\\\"b\\\\c\\n\\u001f/a.d\",\"emit\":\"dep-info\"}\n");
}

TEST(Messages, diagnostics_stay_as_they_are_between_artifacts) {
  std::string artifact = "{\"$message_type\":\"artifact\",\"artifact\":\"/w/a.d\",\"emit\":\"dep-info\"}\n";
  std::string warning = "{\"$message_type\":\"diagnostic\",\"message\":\"unused\",\"rendered\":\"/w/a.rs:1\"}\n";
  EXPECT_EQ(paths_of(artifact + warning + artifact + "plain text\n\n"), (Paths{"/w/a.d", "/w/a.d"}));
  EXPECT_EQ(tokenize_messages(artifact + warning + artifact).size(), 5u);
}

TEST(Messages, no_other_line_is_touched) {
  const std::string_view all[] = {
      "",
      "\n",
      "{\"$message_type\":\"artifact\",\"artifact\":\"/w/a.d\",\"emit\":\"dep-info\"}",  // torn
      " {\"$message_type\":\"artifact\",\"artifact\":\"/w/a.d\",\"emit\":\"dep-info\"}\n",
      "{\"$message_type\":\"artifact\",\"artifact\":\"/w/a.d\",\"emit\":\"dep-info\"}\r\n",
      "{\"$message_type\":\"artifact\",\"artifact\":\"/w/a.d\",\"emit\":\"dep-info\",\"more\":\"/w\"}\n",
      "{\"$message_type\":\"artifact\",\"artifact\":\"/w/a.d\",\"emit\":\"\"}\n",
      "{\"$message_type\":\"artifact\",\"artifact\":\"\",\"emit\":\"link\"}\n",
      "{\"$message_type\":\"artifact\",\"artifact\":\"/w/a.d\"}\n",
      "{\"$message_type\":\"artifact\",\"artifact\":\"/w\\/a\",\"emit\":\"link\"}\n",     // serde writes '/' plain
      "{\"$message_type\":\"artifact\",\"artifact\":\"\\u0041\",\"emit\":\"link\"}\n",   // and 'A'
      "{\"$message_type\":\"artifact\",\"artifact\":\"\\u001F\",\"emit\":\"link\"}\n",   // and small letters
      "{\"$message_type\":\"artifact\",\"artifact\":\"\\u00\",\"emit\":\"link\"}\n",
      "{\"$message_type\":\"artifact\",\"artifact\":\"a\\",
      "{\"other\":\"/w/a.d\",\"emit\":\"link\"}\n",
      "\xff\xfe{\n",
  };
  for (std::string_view text : all) EXPECT_EQ(paths_of(text), Paths{}) << text;
}

}  // namespace
}  // namespace kache
