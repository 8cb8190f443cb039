#include "record/own_files.h"

#include <gtest/gtest.h>

#include <vector>

namespace kache {
namespace {

// Paths that do not exist: each is its own place.
struct OwnFilesTest : testing::Test {
  PathResolver resolver{posix_file_system()};
  OwnFiles own{resolver};

  std::vector<std::string> alive() const {
    std::vector<std::string> paths;
    for (const auto& [path, temporary] : own.alive()) paths.push_back(path);
    return paths;
  }
};

TEST_F(OwnFilesTest, what_was_written_stays_own_when_it_is_gone) {
  own.wrote("/none/a", true);
  own.unlinked("/none/a");
  EXPECT_TRUE(own.is_own("/none/a"));
  EXPECT_TRUE(own.was_written("/none/a"));
  EXPECT_TRUE(alive().empty());
  EXPECT_FALSE(own.is_own("/none/b"));
}

TEST_F(OwnFilesTest, all_in_a_directory_of_its_own_is_own) {
  own.made_dir("/none/dir");
  EXPECT_TRUE(own.is_own("/none/dir/x/y"));
  EXPECT_FALSE(own.was_written("/none/dir/x/y"));
  EXPECT_FALSE(own.is_own("/none/dirt"));
}

TEST_F(OwnFilesTest, a_file_moves) {
  own.wrote("/none/a.tmp", true);
  own.moved("/none/a.tmp", "/none/a");
  EXPECT_EQ(alive(), std::vector<std::string>{"/none/a"});
  EXPECT_FALSE(own.alive().at("/none/a"));
}

TEST_F(OwnFilesTest, a_directory_takes_along_what_is_in_it_and_no_neighbour) {
  own.made_dir("/none/dir");
  for (const char* path : {"/none/dir/a", "/none/dir/b/c", "/none/dir-2", "/none/dirt"}) own.wrote(path, false);
  own.moved("/none/dir", "/none/to");
  EXPECT_EQ(alive(), (std::vector<std::string>{"/none/dir-2", "/none/dirt", "/none/to/a", "/none/to/b/c"}));
  EXPECT_TRUE(own.is_own("/none/to/d"));
}

}  // namespace
}  // namespace kache
