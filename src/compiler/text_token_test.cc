#include "compiler/text_token.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

constexpr std::string_view kDepInfo =
    "/t/deps/libx-1.rmeta: src/lib.rs /o/a\\ b.rs\n\n/t/deps/x-1.d: src/lib.rs\n\nsrc/lib.rs:\n/o/a\\ b.rs:\n\n"
    "# env-dep:OUT_DIR=/o\\\\x\\n\n# env-dep:UNSET\n# env-dep:EMPTY=\n";

TEST(DepInfo, comes_back_byte_for_byte) {
  Result<std::vector<TextToken>> tokens = tokenize_dep_info(kDepInfo);
  ASSERT_TRUE(tokens.ok());
  EXPECT_EQ(render_tokens(*tokens), kDepInfo);
}

TEST(DepInfo, says_what_cargo_reads_in_it) {
  Result<DepInfo> info = parse_dep_info(kDepInfo);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->targets, (std::vector<std::string>{"/t/deps/libx-1.rmeta", "/t/deps/x-1.d"}));
  EXPECT_EQ(info->sources, (std::vector<std::string>{"src/lib.rs", "/o/a b.rs"}));
  ASSERT_EQ(info->env.size(), 3u);
  EXPECT_EQ(info->env[0].value, "/o\\x\n");
  EXPECT_FALSE(info->env[1].is_set);
  EXPECT_TRUE(info->env[2].is_set);
}

TEST(Messages, only_the_artifact_path_is_a_path) {
  std::string_view text =
      "{\"$message_type\":\"artifact\",\"artifact\":\"/t/a \\\"q\\\".d\",\"emit\":\"dep-info\"}\n"
      "{\"$message_type\":\"diagnostic\",\"message\":\"/t/a\"}\nplain\n";
  std::vector<TextToken> tokens = tokenize_messages(text);
  ASSERT_EQ(tokens.size(), 3u);
  EXPECT_EQ(tokens[1].kind, TextToken::json_path);
  EXPECT_EQ(tokens[1].text, "/t/a \"q\".d");
  EXPECT_EQ(render_tokens(tokens), text);
}

}  // namespace
}  // namespace kache
