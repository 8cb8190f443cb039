#include "base/path_resolver.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

namespace kache {
namespace {

class PathResolverTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/kache-resolver-XXXXXX";
    std::filesystem::path dir = ::mkdtemp(name);
    root_ = std::filesystem::canonical(dir).string();
    std::filesystem::create_directories(root_ + "/disk/target/debug");
    std::filesystem::create_directory(root_ + "/tree");
    std::filesystem::create_symlink(root_ + "/disk/target", root_ + "/tree/target");
    std::filesystem::create_symlink("../tree/target/debug", root_ + "/disk/short");
    std::filesystem::create_symlink("round", root_ + "/round");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string real(const std::string& path) { return PathResolver(posix_file_system()).real(root_ + path); }
  std::string place(const std::string& path) { return PathResolver(posix_file_system()).place(root_ + path); }

  std::string root_;
};

TEST_F(PathResolverTest, agrees_with_the_kernel) {
  for (const char* path : {"", "/tree", "/tree/target", "/tree/target/debug", "/disk/short", "/disk/short/..", "/tree/target/.."}) {
    EXPECT_EQ(real(path), std::filesystem::canonical(root_ + path).string()) << path;
  }
}

TEST_F(PathResolverTest, what_does_not_exist_stays_as_it_is_spelled) {
  EXPECT_EQ(real("/tree/target/gone/file"), root_ + "/disk/target/gone/file");
  EXPECT_EQ(place("/tree/target/debug/file.o"), root_ + "/disk/target/debug/file.o");
}

TEST_F(PathResolverTest, the_last_component_of_a_place_is_not_followed) {
  EXPECT_EQ(place("/tree/target"), root_ + "/tree/target");
  EXPECT_EQ(place("/disk/short/"), root_ + "/disk/target/debug");
}

TEST_F(PathResolverTest, circles_end) { EXPECT_FALSE(real("/round/x").empty()); }

TEST_F(PathResolverTest, one_resolver_answers_all_spellings_alike) {
  PathResolver resolver(posix_file_system());
  std::string first = resolver.place(root_ + "/tree/target/debug/x");
  EXPECT_EQ(resolver.place(root_ + "/disk/short/x"), first);
  EXPECT_EQ(resolver.place(root_ + "/disk/target/debug/x"), first);
}

}  // namespace
}  // namespace kache
