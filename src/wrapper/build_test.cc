#include "wrapper/build.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/mem_file_system.h"

namespace kache {
namespace {

class FindBuild : public testing::Test {
 protected:
  FindBuild() {
    char name[] = "/tmp/kache-build-XXXXXX";
    dir_ = ::mkdtemp(name);
  }
  ~FindBuild() override {
    ::unlink((dir_ + "/memo").c_str());
    ::rmdir(dir_.c_str());
  }
  void runs(int pid, const std::string& name, int parent, int session = 100) {
    std::string number = std::to_string(pid);
    (void)make_dirs(fs_, "/proc/" + number, 0755);
    (void)fs_.unlink("/proc/" + number + "/stat");
    ASSERT_TRUE(fs_.create("/proc/" + number + "/stat",
                           number + " (" + name + ") S " + std::to_string(parent) + " " + number + " " +
                               std::to_string(session) + " 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 " +
                               std::to_string(pid * 10) + " 99 77 18446744073709551615\n",
                           0444)
                    .ok());
  }
  void ends(int pid) { ASSERT_TRUE(fs_.unlink("/proc/" + std::to_string(pid) + "/stat").ok()); }
  // The same with a memo and without one.
  Build found(int parent, int session = 100) {
    Memo none = Memo::open("/nowhere/memo", boot_), memo = Memo::open(dir_ + "/memo", boot_);
    Build walked = find_build(fs_, none, {parent, session, "kache"});
    for (int i = 0; i < 2; ++i) {
      Build build = find_build(fs_, memo, {parent, session, "kache"});
      EXPECT_EQ(build.session, walked.session);
      EXPECT_EQ(build.tool, walked.tool);
    }
    return walked;
  }
  Build known(int parent, int session = 100) {
    Memo memo = Memo::open(dir_ + "/memo", boot_);
    return find_build(fs_, memo, {parent, session, "kache"});
  }

  BootId boot_ = parse_boot_id("01234567-89ab-cdef-0123-456789abcdef");
  std::string dir_;
  ManualClock clock_;
  MemFileSystem fs_{clock_};
};

TEST_F(FindBuild, IsThatOfTheTopmostBuildProgram) {
  runs(100, "bash", 1);
  runs(110, "cmake", 100);
  runs(120, "make", 110);
  runs(130, "sh", 120);
  runs(140, "make", 130);
  EXPECT_EQ(found(140).session, "01234567-110-1100");
  EXPECT_EQ(found(140).tool, "cmake");
  EXPECT_EQ(found(130).session, found(140).session);
}

TEST_F(FindBuild, EndsAtTheSessionOfTheTerminal) {
  runs(50, "make", 1, 50);
  runs(100, "bash", 50);
  runs(110, "cargo", 100);
  EXPECT_EQ(found(110).tool, "cargo");
  runs(200, "make", 50, 200);  // a service: its first process is the build itself
  EXPECT_EQ(found(200, 200).session, "01234567-200-2000");
}

TEST_F(FindBuild, IsTheParentWhereNobodyIsABuildProgram) {
  runs(100, "bash", 1);
  runs(110, "compile-all.sh", 100);
  runs(120, "compile-all.sh", 110);  // a subshell
  EXPECT_EQ(found(120).session, "01234567-110-1100");
  EXPECT_EQ(found(120).tool, "compile-all.sh");
  runs(130, "kache", 110);  // cc -c a.c b.c
  EXPECT_EQ(found(130).session, "01234567-110-1100");
  runs(140, "python3", 110);
  EXPECT_EQ(found(140).tool, "python3");
}

TEST_F(FindBuild, LooksNoFurtherThanOthersStandBetween) {
  runs(100, "bash", 1);
  runs(110, "cargo", 100);
  runs(120, "build-script-bu", 110);
  runs(140, "make", 120);
  for (int pid : {150, 160, 170}) runs(pid, "libtool", pid - 10);
  EXPECT_EQ(found(170).tool, "cargo");
  runs(210, "make", 100);
  for (int pid : {220, 230}) runs(pid, "runner", pid - 10);
  runs(240, "cargo", 230);
  EXPECT_EQ(found(240).session, "01234567-240-2400");
}

TEST_F(FindBuild, IsLookedForOnceAboveEachBuildProgram) {
  runs(100, "bash", 1);
  runs(105, "sh", 100);
  runs(110, "cmake", 105);
  runs(120, "make", 110);
  runs(130, "sh", 120);
  EXPECT_EQ(known(130).tool, "cmake");
  ends(110);  // nobody asks any more what is there
  EXPECT_EQ(known(120).session, "01234567-110-1100");
  EXPECT_EQ(known(130).session, "01234567-110-1100");
}

TEST_F(FindBuild, IsAnotherForAnotherProcessOrProgramOfTheSameNumber) {
  runs(100, "bash", 1);
  runs(105, "sh", 100);
  runs(110, "cmake", 105);
  runs(120, "make", 110);
  EXPECT_EQ(known(120).tool, "cmake");
  runs(121, "sh", 100);
  runs(120, "ninja", 121);  // make has become ninja, below another one
  EXPECT_EQ(known(120).session, "01234567-120-1200");
  EXPECT_EQ(known(120).tool, "ninja");
  runs(110, "cmake", 105, 200);
  runs(120, "make", 110, 200);
  EXPECT_EQ(known(120, 200).session, "01234567-110-1100");
  EXPECT_EQ(known(120, 300).session, "01234567-120-1200");  // asked from another session: not the same question
}

TEST_F(FindBuild, IsUnknownWhereTheSystemDoesNotTell) { EXPECT_EQ(found(777).session, ""); }

TEST(ProcStat, TakesAnyName) {
  auto info = parse_proc_stat("12 (a) b (c\n) S 7 12 5 0 -1 1 2 3 4 5 6 7 8 9 20 0 1 0 4711 99\n");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->name, "a) b (c\n");
  EXPECT_EQ(info->pid, 12);
  EXPECT_EQ(info->parent, 7);
  EXPECT_EQ(info->session, 5);
  EXPECT_EQ(info->started, 4711u);
}

TEST(ProcStat, RefusesWhatIsNone) {
  for (const char* text :
       {"", "12", "(a) S 1 2 3", "12 (a", "12 (a)", "12 (a) S", "12 (a) S x 1 1", "12 (a) S 1 2 3 4 5", ")( S 1 2 3"}) {
    EXPECT_FALSE(parse_proc_stat(text)) << text;
  }
}

TEST(BuildProgram, IsKnownByTheNameThatTheKernelKeeps) {
  EXPECT_TRUE(is_build_program("ninja"));
  EXPECT_TRUE(is_build_program("dpkg-buildpackage"));
  EXPECT_FALSE(is_build_program("cargo-watch"));
  EXPECT_FALSE(is_build_program("bash"));
}

}  // namespace
}  // namespace kache
