#include "key/project.h"

#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"

namespace kache {
namespace {

class Project : public ::testing::Test {
 protected:
  void dir(const std::string& path) { ASSERT_TRUE(make_dirs(fs, path, 0755).ok()); }
  std::string find(const std::string& cwd, const std::string& source) { return find_project(fs, cwd, source, {"/home/u", "/tmp"}); }
  ManualClock clock;
  MemFileSystem fs{clock};
};

TEST_F(Project, IsTheCheckoutOfTheWorkingDirectory) {
  dir("/home/u/w/p/.git");
  dir("/home/u/w/p/build");
  dir("/home/u/.git");  // dotfiles under version control are no project
  EXPECT_EQ(find("/home/u/w/p/build", "/home/u/w/p/src"), "/home/u/w/p");
  EXPECT_EQ(find("/home/u/w/p", "/home/u/w/p"), "/home/u/w/p");
}

TEST_F(Project, IsTheCheckoutOfTheSourceWhereItIsBuiltBeside) {
  dir("/w/p/.hg");
  dir("/w/build");
  EXPECT_EQ(find("/w/build", "/w/p/src"), "/w/p");
}

TEST_F(Project, IsTheTopOfWhatCanBeBuiltWithoutACheckout) {
  dir("/w/p/sub");
  for (const char* path : {"/w/p/configure", "/w/p/sub/Makefile"}) ASSERT_TRUE(fs.create(path, "", 0644).ok());
  EXPECT_EQ(find("/w/p/sub", "/w/p/sub"), "/w/p");
}

TEST_F(Project, IsWhatBothHaveInCommonElse) {
  EXPECT_EQ(find("/w/x/build", "/w/x/src"), "/w/x");
  EXPECT_EQ(find("/a/build", "/b/src"), "/a/build");
  EXPECT_EQ(find("/home/u/build", "/home/u/src"), "/home/u/build");
  EXPECT_EQ(find("/tmp/x", "/tmp/y"), "/tmp/x");
}

TEST(RelativePath, ClimbsAndDescends) {
  EXPECT_EQ(relative_path("/w/p", "/w/build"), "../build");
  EXPECT_EQ(relative_path("/w/p/q", "/w/build/x"), "../../build/x");
  EXPECT_EQ(relative_path("/w/p", "/x/build"), "");
}

}  // namespace
}  // namespace kache
