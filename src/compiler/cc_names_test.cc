#include "compiler/cc_names.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

TEST(CcNames, KnowsCompilersByNameTargetVersionAndFlavour) {
  for (const char* name : {"gcc", "gcc-13", "/usr/bin/gcc", "gcc-12.2", "x86_64-linux-gnu-gcc", "x86_64-linux-gnu-gcc-12",
                           "arm-none-eabi-gcc.exe", "x86_64-w64-mingw32-gcc-posix", "x86_64-w64-mingw32-gcc-12-win32"}) {
    EXPECT_EQ(cc_name(name).tool, CcTool::gcc) << name;
    EXPECT_FALSE(cc_name(name).is_cxx) << name;
  }
  for (const char* name : {"g++", "aarch64-linux-gnu-g++-13", "clang++", "clang++-18", "c++"}) {
    EXPECT_TRUE(cc_name(name).is_cxx) << name;
  }
  for (const char* name : {"clang", "clang-18", "/opt/llvm/bin/clang", "aarch64-linux-android21-clang", "zigcc-x86_64"}) {
    EXPECT_EQ(cc_name(name).tool, CcTool::clang) << name;
  }
  EXPECT_EQ(cc_name("clang-cl").tool, CcTool::clang_cl);
  EXPECT_EQ(cc_name("clang-cl-14").tool, CcTool::clang_cl);
  EXPECT_EQ(cc_name("cc").tool, CcTool::generic);
}

TEST(CcNames, KnowsArchivers) {
  for (const char* name : {"ar", "gcc-ar", "gcc-ar-12", "llvm-ar-14", "x86_64-linux-gnu-gcc-ar", "arm-none-eabi-ar"}) {
    EXPECT_EQ(cc_name(name).tool, CcTool::archiver) << name;
  }
  for (const char* name : {"ranlib", "gcc-ranlib-12", "llvm-ranlib", "x86_64-linux-gnu-ranlib"}) {
    EXPECT_EQ(cc_name(name).tool, CcTool::ranlib) << name;
  }
}

TEST(CcNames, CompanionsAndStrangersAreNone) {
  for (const char* name : {"gcc-nm", "clang-format", "clang-tidy-14", "clang-ar", "cpp", "gcov", "rustc", "tar", "bar", "acc",
                           "ld", "-gcc", "", "list", "cargo", "ccache", "gccgo", "clang-format-14"}) {
    EXPECT_EQ(cc_name(name).tool, CcTool::none) << name;
  }
  EXPECT_EQ(cc_name("nvcc").tool, CcTool::foreign);
  EXPECT_EQ(cc_name("zig").tool, CcTool::foreign);
}

}  // namespace
}  // namespace kache
