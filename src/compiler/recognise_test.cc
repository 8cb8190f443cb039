#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_system.h"
#include "compiler/compilers.h"

namespace kache {
namespace {

// A directory for PATH with the programs "mywrap" and "init" (as in /sbin), and a file "plain" that is no program.
class Recognise : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/kache-recognise-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern), nullptr);
    dir_ = pattern;
    for (const char* name : {"/mywrap", "/init"}) ASSERT_TRUE(fs_.create(dir_ + name, "", 0755).ok());
    ASSERT_TRUE(fs_.create(dir_ + "/plain", "", 0644).ok());
  }
  void TearDown() override {
    for (const char* name : {"/mywrap", "/init", "/plain"}) (void)fs_.unlink(dir_ + name);
    (void)fs_.remove_dir(dir_);
  }
  Recognised::Kind kind(const std::vector<std::string>& args, std::vector<std::string> env = {}) {
    env.push_back("PATH=/nonexistent::" + dir_);
    return recognise(fs_, args, Env(env)).kind;
  }
  FileSystem& fs_ = posix_file_system();
  std::string dir_;
};

TEST_F(Recognise, rustc_by_its_name) {
  for (const char* name : {"rustc", "/t/bin/rustc", "rustc-1.95", "rustc_nightly", "rustc1.85", "rustc.exe",
                           "./rustc-dev", "clippy-driver", "/t/bin/clippy-driver"}) {
    EXPECT_EQ(kind({name, "a.rs"}), Recognised::rustc) << name;
    EXPECT_EQ(kind({name}), Recognised::rustc) << name;
  }
  for (const char* name : {"rustcc", "rust", "rustdoc", "xrustc", "rustcfoo", "rustc/x", "rustc_ast.rs"}) {
    EXPECT_EQ(kind({name, "a.rs"}), Recognised::tool) << name;
  }
  EXPECT_EQ(kind({"rustc", "rustc_ast.rs"}), Recognised::rustc);
}

TEST_F(Recognise, clippy_driver_with_a_rustc_behind_it_is_a_compiler) {
  EXPECT_EQ(kind({"/t/clippy-driver", "/t/rustc", "-vV"}), Recognised::rustc);
}

TEST_F(Recognise, a_driver_named_by_RUSTC_is_run_but_not_known) {
  EXPECT_EQ(kind({"/opt/kani", "a.rs"}, {"RUSTC=/opt/kani"}), Recognised::driver);
  EXPECT_EQ(kind({"/opt/rustc", "a.rs"}, {"RUSTC=/opt/rustc"}), Recognised::rustc);
  EXPECT_EQ(kind({"/opt/kani", "a.rs"}, {"RUSTC=/opt/./kani"}), Recognised::tool);
  EXPECT_EQ(kind({"", "a.rs"}, {"RUSTC="}), Recognised::tool);
}

TEST_F(Recognise, workspace_wrappers_are_chains) {
  EXPECT_EQ(kind({"/x/dylint", "rustc", "a.rs"}), Recognised::chain);
  EXPECT_EQ(kind({"./w", "/t/rustc-1.95"}), Recognised::chain);
  EXPECT_EQ(kind({"bare", "rustc"}, {"RUSTC_WORKSPACE_WRAPPER=bare"}), Recognised::chain);
  EXPECT_EQ(kind({"mywrap", "rustc"}), Recognised::chain);
  EXPECT_EQ(kind({"/x/w", "/opt/kani"}, {"RUSTC=/opt/kani"}), Recognised::chain);
  // Wrappers that are called like a rustc.
  EXPECT_EQ(kind({"/x/rustc-wrapper", "/t/rustc", "-vV"}), Recognised::chain);
  EXPECT_EQ(kind({"/x/rustc_wrapper.sh", "rustc"}), Recognised::chain);
}

TEST_F(Recognise, commands_of_kache_stay_commands) {
  EXPECT_EQ(kind({}), Recognised::tool);
  EXPECT_EQ(kind({"--version"}), Recognised::tool);
  EXPECT_EQ(kind({"-V", "rustc"}), Recognised::tool);
  EXPECT_EQ(kind({"stats"}), Recognised::tool);
  EXPECT_EQ(kind({"list", "rustc"}), Recognised::tool);
  EXPECT_EQ(kind({"init", "rustc"}), Recognised::tool) << "although there is a program of that name";
  EXPECT_EQ(kind({"plain", "rustc"}), Recognised::tool) << "not executable";
  EXPECT_EQ(kind({"nowhere", "rustc"}), Recognised::tool);
  EXPECT_EQ(kind({"mywrap", "gcc"}), Recognised::tool);
  EXPECT_EQ(kind({"init", "rustc"}, {"RUSTC_WORKSPACE_WRAPPER=init"}), Recognised::chain) << "cargo said so";
}

}  // namespace
}  // namespace kache
