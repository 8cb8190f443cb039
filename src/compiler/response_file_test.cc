#include "compiler/response_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/unit/parse_line.h"

namespace kache {
namespace {

class ResponseFile : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/kache-response-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern), nullptr);
    dir_ = pattern;
  }
  void TearDown() override {
    (void)fs_.unlink(dir_ + "/args");
    (void)fs_.remove_dir(dir_);
  }
  void write(std::string_view bytes) {
    (void)fs_.unlink(dir_ + "/args");
    ASSERT_TRUE(fs_.create(dir_ + "/args", bytes, 0600).ok());
  }
  Result<Expanded> expand(const std::vector<std::string>& args) { return expand_response_files(fs_, args, dir_); }
  std::vector<std::string> args_of(std::string_view bytes) {
    write(bytes);
    return expand({"@args"}).value().args;
  }

  using Args = std::vector<std::string>;
  FileSystem& fs_ = posix_file_system();
  std::string dir_;
};

TEST_F(ResponseFile, is_one_argument_a_line_as_rustc_reads_it) {
  EXPECT_EQ(args_of("--test\na b\n"), (Args{"--test", "a b"}));
  EXPECT_EQ(args_of("--test\r\na.rs\r\n"), (Args{"--test", "a.rs"}));
  EXPECT_EQ(args_of("a.rs\r"), (Args{"a.rs\r"}));  // no line feed behind it: part of the argument
  EXPECT_EQ(args_of("a.rs\n\n"), (Args{"a.rs", ""}));
  EXPECT_EQ(args_of("@args\n"), (Args{"@args"}));  // not recursive
  EXPECT_EQ(args_of(""), Args{});
  EXPECT_EQ(args_of("caf\xc3\xa9 \xf0\x9f\xa6\x80"), (Args{"caf\xc3\xa9 \xf0\x9f\xa6\x80"}));
}

TEST_F(ResponseFile, stands_anywhere_between_other_arguments) {
  write("-O\n-g\n");
  Expanded expanded = expand({"a.rs", "@args", "--test", "@" + dir_ + "/args"}).value();
  EXPECT_EQ(expanded.args, words_of("a.rs -O -g --test -O -g"));
  EXPECT_TRUE(expanded.any);
  EXPECT_FALSE(expand({"a.rs"}).value().any);
}

TEST_F(ResponseFile, is_refused_where_rustc_would_or_reads_otherwise) {
  for (const char* bytes : {"\xff", "a\n\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}) {
    write(bytes);
    EXPECT_FALSE(expand({"@args"}).ok());
  }
  write(std::string_view("a\0b", 3));
  EXPECT_FALSE(expand({"@args"}).ok());
  EXPECT_FALSE(expand({"@missing"}).ok());
  EXPECT_FALSE(expand({"@shell:args"}).ok());
  EXPECT_FALSE(expand({"@"}).ok());
}

TEST_F(ResponseFile, what_is_written_is_read_again) {
  const Args all[] = {{}, {""}, {"a", "", "b c"}, {"@x", "-C", "link-args=a b"}, {"a\rb", "\t"}};
  for (const Args& args : all) {
    Result<std::string> bytes = write_response_file(args);
    ASSERT_TRUE(bytes.ok());
    EXPECT_EQ(args_of(*bytes), args);
  }
  EXPECT_EQ(write_response_file({"a\nb"}).code(), ErrorCode::invalid);
  EXPECT_EQ(write_response_file({"a\r"}).code(), ErrorCode::invalid);
}

TEST_F(ResponseFile, keys_as_the_same_arguments_inline) {
  write("--crate-name\nx\n-Copt-level=3\n");
  ParsedInvocation parsed = parse_words({"a.rs", "@args"}, dir_);
  EXPECT_FALSE(parsed.refused) << parsed.refused.reason();
  EXPECT_EQ(key_of(parsed), key_of(parse_line("a.rs --crate-name x -C opt-level=3")));
  EXPECT_TRUE(parsed.invocation.expanded_response_file);
  EXPECT_EQ(parsed.invocation.args, words_of("a.rs --crate-name x -Copt-level=3"));
}

}  // namespace
}  // namespace kache
