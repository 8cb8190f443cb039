#include "cli/toml_document.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

std::string set(const std::string& text, const std::string& literal, TomlPath path = {"cache", "max"}) {
  Result<std::string> edited = edit_toml(text, path, literal);
  return edited.ok() ? *edited : "refused: " + edited.error().message;
}

std::string unset(const std::string& text, TomlPath path = {"cache", "max"}) {
  Result<std::string> edited = edit_toml(text, path, std::nullopt);
  return edited.ok() ? *edited : "refused: " + edited.error().message;
}

TEST(TomlEdit, replaces_the_value_and_nothing_else) {
  EXPECT_EQ(set("# top\n[cache] # here\n  max = 1   # why\nother=2\n", "7"), "# top\n[cache] # here\n  max = 7   # why\nother=2\n");
  EXPECT_EQ(set("[cache]\r\nmax = '#1' # c\r\n", "7"), "[cache]\r\nmax = 7 # c\r\n");
  EXPECT_EQ(set("cache.max=1\n[other]\nmax = 2\n", "7"), "cache.max=7\n[other]\nmax = 2\n");
  EXPECT_EQ(set("cache = { a = 1, max = \"}\", b = [1, 2] }\n", "7"), "cache = { a = 1, max = 7, b = [1, 2] }\n");
  EXPECT_EQ(set("[cache]\nmax = [\n  'a', # ]\n  'b',\n] # end\nx = 1", "[]"), "[cache]\nmax = [] # end\nx = 1");
  EXPECT_EQ(set("[cache]\nmax = \"\"\"\na\"\"\"\" # x\n", "7"), "[cache]\nmax = 7 # x\n");
  EXPECT_EQ(set("['cache']\n\"max\" = 1\n", "7"), "['cache']\n\"max\" = 7\n");
  EXPECT_EQ(set("[cache]\nmax = 1", "7"), "[cache]\nmax = 7");
}

TEST(TomlEdit, finds_a_place_for_a_new_key) {
  EXPECT_EQ(set("", "7"), "[cache]\nmax = 7\n");
  EXPECT_EQ(set("\xEF\xBB\xBF", "7"), "\xEF\xBB\xBF[cache]\nmax = 7\n");
  EXPECT_EQ(set("# only a comment", "7"), "# only a comment\n\n[cache]\nmax = 7\n");
  EXPECT_EQ(set("[cache]\n  a = 1\n\n[b]\n", "7"), "[cache]\n  a = 1\n  max = 7\n\n[b]\n");
  EXPECT_EQ(set("[cache]", "7"), "[cache]\nmax = 7\n");
  EXPECT_EQ(set("[cache]\r\na = 1\r\n", "7"), "[cache]\r\na = 1\r\nmax = 7\r\n");
  EXPECT_EQ(set("cache.a = 1\n[b]\n", "7"), "cache.a = 1\ncache.max = 7\n[b]\n");
  EXPECT_EQ(set("cache = { a = 1 }\n", "7"), "cache = { a = 1, max = 7 }\n");
  EXPECT_EQ(set("cache = {}\n", "7"), "cache = { max = 7 }\n");
  EXPECT_EQ(set("[cache.remote]\na = 1\n", "7"), "[cache.remote]\na = 1\n\n[cache]\nmax = 7\n");
  EXPECT_EQ(set("[cache]\nremote = { a = 1 }\n", "7", {"cache", "remote", "b"}), "[cache]\nremote = { a = 1, b = 7 }\n");
  EXPECT_EQ(set("[cache]\nremote.a = 1\n", "7", {"cache", "remote", "b"}), "[cache]\nremote.a = 1\nremote.b = 7\n");
  EXPECT_EQ(set("[[b]]\nx = 1\n", "7", {"top"}), "top = 7\n[[b]]\nx = 1\n");
}

TEST(TomlEdit, takes_a_key_away) {
  EXPECT_EQ(unset("[cache]\n# of max\nmax = 1 # x\na = 2\n"), "[cache]\n# of max\na = 2\n");
  EXPECT_EQ(unset("cache = { max = 1, a = 2 }\n"), "cache = { a = 2 }\n");
  EXPECT_EQ(unset("cache = { a = 2, max = 1 }\n"), "cache = { a = 2 }\n");
  EXPECT_EQ(unset("cache = { max = 1 }\n"), "cache = {  }\n");
  EXPECT_EQ(unset("cache.max = 1\nx = 1\n"), "x = 1\n");
  EXPECT_EQ(unset("[cache]\nmax = [\n 1,\n]\na = 1"), "[cache]\na = 1");
  EXPECT_EQ(unset("[cache]\na = 1\n"), "[cache]\na = 1\n");
}

TEST(TomlEdit, refuses_what_it_can_not_prove) {
  EXPECT_TRUE(set("[cache\n", "7").starts_with("refused: line 1, column "));
  EXPECT_TRUE(set("cache = 1\n", "7").starts_with("refused"));
  EXPECT_TRUE(set("[[cache]]\nmax = 1\n", "7").starts_with("refused"));
  EXPECT_TRUE(set("[cache.max]\na = 1\n", "7").starts_with("refused"));
  EXPECT_TRUE(set("[cache]\n", "7\nother = 1").starts_with("refused"));
  EXPECT_TRUE(set("[cache]\n", "\"\xff\"").starts_with("refused"));
  EXPECT_TRUE(set("[cache]\n", "").starts_with("refused"));
  // Another key than it looks like: "cache", and not a backslash and six letters.
  EXPECT_TRUE(set("\"\\u0063ache\".max = 1\n", "7", {"\\u0063ache", "max"}).starts_with("refused"));
}

TEST(TomlEdit, texts_survive_their_quotes) {
  for (const std::string& text : std::vector<std::string>{"a\"b\\c", "tab\tand\nline", std::string("\x01\x7f", 2), std::string("ümläut"), std::string("${x} #")}) {
    Result<std::string> once = edit_toml("", {"a", "b"}, toml_list({text, text}));
    ASSERT_TRUE(once.ok()) << text;
    Result<std::string> again = edit_toml(*once, {"a", "b"}, toml_string(text));
    ASSERT_TRUE(again.ok()) << text;
  }
}

}  // namespace
}  // namespace kache
