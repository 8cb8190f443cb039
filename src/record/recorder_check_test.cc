#include "record/recorder_check.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/file_system.h"
#include "base/path.h"

extern char** environ;

namespace kache {
namespace {

// The library lies beside the test runner, as it does in an installation.
std::string library() {
  std::string self = *posix_file_system().read_link("/proc/self/exe");
  return std::string(dir_name(dir_name(self))) + "/libexec/kache/libkache-record.so";
}

class SelfTestTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/kache-self-test-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    dir_ = pattern;
    scratch_ = dir_ + "/scratch";
    ASSERT_EQ(mkdir(scratch_.c_str(), 0700), 0);
    if (access(library().c_str(), R_OK) != 0) GTEST_SKIP() << "no recorder in this build";
  }
  void TearDown() override {
    Result<std::vector<DirEntry>> left = posix_file_system().list(scratch_);
    EXPECT_TRUE(left.ok() && left->empty()) << "something was left in the scratch directory";
    ASSERT_EQ(system(("rm -rf " + dir_).c_str()), 0);
  }

  std::string write(const std::string& name, const std::string& text, mode_t mode = 0755) {
    std::string path = dir_ + "/" + name;
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }

  Result<bool> works(SelfTest::Language language, std::vector<std::string> program, int timeout_ms = 30'000) {
    return recorder_works({language, std::move(program), library(), scratch_, Env(environ), timeout_ms});
  }

  std::string dir_, scratch_;
};

TEST_F(SelfTestTest, works_with_the_systems_compilers) {
  for (const char* compiler : {"/usr/bin/gcc", "/usr/bin/g++", "/usr/bin/clang"}) {
    if (access(compiler, X_OK) != 0) continue;
    Result<bool> answer = works(SelfTest::c, {compiler});
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_TRUE(*answer) << compiler;
  }
}

TEST_F(SelfTestTest, works_with_rustc_behind_its_proxy) {
  Env env(environ);
  std::string_view path = env.get_or_empty("PATH");
  while (!path.empty()) {
    size_t colon = path.find(':');
    std::string rustc = std::string(path.substr(0, colon)) + "/rustc";
    path.remove_prefix(colon == std::string_view::npos ? path.size() : colon + 1);
    if (access(rustc.c_str(), X_OK) != 0) continue;
    Result<bool> answer = works(SelfTest::rust, {rustc});
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_TRUE(*answer);
    return;
  }
  GTEST_SKIP() << "no rustc";
}

TEST_F(SelfTestTest, works_through_a_wrapper_that_scrubs_the_environment) {
  std::string wrapper = write("cc", "#!/bin/sh\nexec env -i PATH=/usr/bin:/bin gcc \"$@\"\n");
  Result<bool> answer = works(SelfTest::c, {wrapper});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_TRUE(*answer);
}

TEST_F(SelfTestTest, says_no_to_a_static_compiler) {
  std::string source = write("static.c", "#include <stdio.h>\nint main(int c, char** v) { return !fopen(v[2], \"r\"); }\n");
  std::string compiler = dir_ + "/static-cc";
  ASSERT_EQ(system(("gcc -static -o " + compiler + " " + source).c_str()), 0);
  Result<bool> answer = works(SelfTest::c, {compiler});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_FALSE(*answer);

  // Also where it is the second program, and the first one reads the source as well.
  std::string driver = write("driver", "#!/bin/sh\ncat \"$2\"\n" + compiler + " \"$@\"\ntrue\n");
  answer = works(SelfTest::c, {driver});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_FALSE(*answer);
}

TEST_F(SelfTestTest, says_no_when_the_source_is_not_seen_to_be_read) {
  Result<bool> answer = works(SelfTest::c, {"/bin/true"});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_FALSE(*answer);
}

TEST_F(SelfTestTest, says_no_to_what_reads_and_then_dies) {
  std::string compiler = write("dies", "#!/bin/sh\ncat \"$2\"\nkill -9 $$\n");
  Result<bool> answer = works(SelfTest::c, {compiler});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_FALSE(*answer);
}

TEST_F(SelfTestTest, says_no_to_what_hangs_and_ends_it) {
  std::string compiler = write("hangs", "#!/bin/sh\ncat \"$2\"\nsleep 1000\n");
  Result<bool> answer = works(SelfTest::c, {compiler}, 200);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_FALSE(*answer);
}

TEST_F(SelfTestTest, names_a_compiler_that_is_not_there) {
  Result<bool> answer = works(SelfTest::c, {dir_ + "/absent-cc"});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.code(), ErrorCode::not_found);
  EXPECT_NE(answer.error().message.find("absent-cc"), std::string::npos);
  EXPECT_EQ(works(SelfTest::c, {"gcc"}).code(), ErrorCode::invalid);
}

}  // namespace
}  // namespace kache
