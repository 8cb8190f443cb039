#include "record/cc_declared.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

using Names = std::vector<std::string>;

TEST(NamedPrograms, of_gcc_with_its_specs) {
  EXPECT_EQ(named_programs("Reading specs from /opt/lib/specs\nCOLLECT_GCC=/opt/bin/gcc\nTarget: x86_64\n"
                           " /opt/libexec/cc1 -quiet a.c \"-mtune=generic\" -o - |\n as --64 -o k.o\nCOMPILER_PATH=/opt\n"),
            (Names{"/opt/lib/specs", "/opt/bin/gcc", "/opt/libexec/cc1", "as"}));
}

TEST(NamedPrograms, of_clang) {
  EXPECT_EQ(named_programs("clang version 14\nInstalledDir: /usr/bin\n (in-process)\n \"/usr/lib/llvm 14/bin/clang\" \"-cc1\"\n"
                           " \"/usr/bin/as\" \"-o\" \"a.o\""),
            (Names{"/usr/lib/llvm 14/bin/clang", "/usr/bin/as"}));
}

TEST(NamedPrograms, none_where_nothing_is_started) {
  EXPECT_EQ(named_programs("COLLECT_GCC=gcc\nerror: unknown option -###\n  indented\n \n"), Names{});
  EXPECT_EQ(named_programs(""), Names{});
}

}  // namespace
}  // namespace kache
