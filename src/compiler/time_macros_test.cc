#include "compiler/time_macros.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

TEST(TimeMacros, AreFoundAsWords) {
  EXPECT_TRUE(find_time_macros("const char *d = __DATE__;").clock);
  EXPECT_TRUE(find_time_macros("#define NOW __TIME__").clock);
  EXPECT_TRUE(find_time_macros("-DX=__TIME__").clock);
  EXPECT_TRUE(find_time_macros("x = __TIMESTAMP__").file);
  EXPECT_FALSE(find_time_macros("x = __TIMESTAMP__").clock);
  EXPECT_TRUE(find_time_macros("don't /* */ __DATE__").clock);
  EXPECT_TRUE(find_time_macros("f(\"a\\\"\" __DATE__)").clock);
}

TEST(TimeMacros, AreNotFoundWhereTheyAreNone) {
  for (const char* text : {"", "__DATE", "__DATE__x", "x__TIME__", "// __DATE__\nint x;", "/* __TIME__ */", "\"__DATE__\"",
                           "// a \\\n __DATE__\n", "__TIME", "__TIMEZONE__"}) {
    TimeUse use = find_time_macros(text);
    EXPECT_FALSE(use.clock || use.file) << text;
  }
}

}  // namespace
}  // namespace kache
