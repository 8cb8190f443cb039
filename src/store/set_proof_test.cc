#include "store/set_proof.h"

#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"

namespace kache {
namespace {

class SetProofTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* dir : {"/w/inc", "/w/out"}) ASSERT_TRUE(make_dirs(fs, dir, 0755).ok());
    ASSERT_TRUE(fs.create("/w/a.c", "int a;", 0644).ok());
    add(InputKind::file, "/w/a.c");
    add(InputKind::absent, "/w/inc/h.h");
    add(InputKind::absent, "/w/none/h.h");
    add(InputKind::presence, "/w/out");
    clock.advance_ms(60'000);
  }
  void add(InputKind kind, const std::string& path) {
    Input input;
    input.kind = kind;
    input.path.rest = path;
    set.inputs.push_back(input);
  }
  SetProof gather() { return gather_proof(fs, clock, {set, action, roots, {"/w/out"}}); }

  ManualClock clock;
  MemFileSystem fs{clock};
  InputSet set;
  ActionKey action{digest_bytes("action")};
  Roots roots{{}};
};

TEST_F(SetProofTest, IsTheSameForTheSameFiles) {
  SetProof one = gather(), two = gather();
  EXPECT_TRUE(one.is_possible && one.is_settled);
  EXPECT_EQ(one.key, two.key);
  EXPECT_EQ(one.covered, (std::vector<bool>{true, true, true, false}));
}

TEST_F(SetProofTest, IsAnotherOneAfterEachChange) {
  Digest before = gather().key;
  fs.overwrite("/w/a.c", "int b;");
  clock.advance_ms(60'000);
  Digest written = gather().key;
  EXPECT_NE(written, before);
  ASSERT_TRUE(fs.create("/w/inc/other.h", "", 0644).ok());
  clock.advance_ms(60'000);
  Digest appeared = gather().key;
  EXPECT_NE(appeared, written);
  ASSERT_TRUE(fs.make_dir("/w/none", 0755).ok());
  clock.advance_ms(60'000);
  EXPECT_NE(gather().key, appeared);
  action = {digest_bytes("another")};
  EXPECT_NE(gather().key, appeared);
}

TEST_F(SetProofTest, IsNoneOfWhatIsGoneOrHasNotSettled) {
  fs.overwrite("/w/a.c", "int b;");
  EXPECT_FALSE(gather().is_settled);
  ASSERT_TRUE(fs.unlink("/w/a.c").ok());
  EXPECT_FALSE(gather().is_possible);
}

TEST_F(SetProofTest, LeavesOutDirectoriesThatAreInUse) {
  ASSERT_TRUE(fs.create("/w/inc/other.h", "", 0644).ok());
  clock.advance_ms(1000);
  EXPECT_EQ(gather().covered, (std::vector<bool>{true, false, true, false}));
  add(InputKind::absent, "/w/out/x");
  EXPECT_EQ(gather().covered.back(), false);
}

}  // namespace
}  // namespace kache
