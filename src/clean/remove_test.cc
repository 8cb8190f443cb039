// On the real disk: what is removed, and what is not.
#include "clean/remove.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "clean/scan.h"

namespace kache {
namespace {

namespace files = std::filesystem;

class RemoveTest : public testing::Test {
 protected:
  RemoveTest() {
    char name[] = "/tmp/kache-remove-XXXXXX";
    top_ = ::mkdtemp(name);
  }
  ~RemoveTest() override { files::remove_all(top_); }

  void write(const files::path& path) {
    files::create_directories((top_ / path).parent_path());
    std::ofstream(top_ / path) << "content";
  }
  BuildDir find() {
    ScanRequest request;
    request.roots = {top_};
    Result<ScanResult> found = find_build_dirs(request);
    EXPECT_EQ(found->dirs.size(), 1u);
    return found->dirs.at(0);
  }

  files::path top_;
};

TEST_F(RemoveTest, another_directory_of_that_name_is_left_alone) {
  write("p/Cargo.toml");
  write("p/target/debug/x");
  BuildDir row = find();
  files::rename(top_ / "p/target", top_ / "p/old");
  write("p/target/precious");
  Status status = remove_build_dir(row);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("left alone"), std::string::npos);
  EXPECT_TRUE(files::exists(top_ / "p/target/precious"));
  EXPECT_TRUE(files::exists(top_ / "p/old/debug/x"));
}

TEST_F(RemoveTest, a_link_in_its_place_is_not_followed) {
  write("p/Cargo.toml");
  write("p/target/debug/x");
  BuildDir row = find();
  files::rename(top_ / "p/target", top_ / "elsewhere");
  files::create_directory_symlink(top_ / "elsewhere", top_ / "p/target");
  EXPECT_FALSE(remove_build_dir(row).ok());
  EXPECT_TRUE(files::exists(top_ / "elsewhere/debug/x"));
}

TEST_F(RemoveTest, what_has_an_obstacle_stays) {
  write("p/Cargo.toml");
  write("p/target/lib.rs");
  BuildDir row = find();
  EXPECT_FALSE(remove_build_dir(row).ok());
  EXPECT_TRUE(files::exists(top_ / "p/target/lib.rs"));
}

// Somebody puts links to a precious directory wherever a directory was, while the removal is at work.
TEST_F(RemoveTest, nobody_leads_it_outside) {
  write("precious/deep/file");
  for (int round = 0; round < 20; ++round) {
    write("p/Cargo.toml");
    for (int i = 0; i < 20; ++i) write("p/target/debug/d" + std::to_string(i) + "/deep/file");
    BuildDir row = find();
    std::atomic<bool> stop = false;
    std::thread attacker([&] {
      for (int i = 0; !stop; i = (i + 1) % 20) {
        files::path at = top_ / "p/target/debug" / ("d" + std::to_string(i));
        files::path away = top_ / "away";
        if (::rename(at.c_str(), away.c_str()) == 0) (void)::symlink((top_ / "precious").c_str(), at.c_str());
        std::error_code ignored;
        files::remove_all(away, ignored);
      }
    });
    (void)remove_build_dir(row);
    stop = true;
    attacker.join();
    ASSERT_TRUE(files::exists(top_ / "precious/deep/file")) << round;
    files::remove_all(top_ / "p");
  }
}

TEST_F(RemoveTest, a_deep_tree_goes) {
  write("p/Cargo.toml");
  write("p/target/debug/x");
  files::path at = top_ / "p/target/debug";
  for (int i = 0; i < 300; ++i) files::create_directory(at /= "d");
  EXPECT_TRUE(remove_build_dir(find()).ok());
  EXPECT_FALSE(files::exists(top_ / "p/target"));
  EXPECT_TRUE(files::exists(top_ / "p/Cargo.toml"));
}

}  // namespace
}  // namespace kache
