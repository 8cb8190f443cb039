#include "wrapper/difference.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

TEST(DifferenceTest, EveryKindIsReadBack) {
  for (int kind = Difference::file; kind <= Difference::times; ++kind) {
    for (const char* name : {"/src/a b.h", "file x", "", "of file"}) {
      Difference back = parse_difference(describe({static_cast<Difference::Kind>(kind), name}));
      EXPECT_EQ(back.kind, kind) << name;
      EXPECT_EQ(back.name, name);
    }
  }
}

TEST(DifferenceTest, OtherTextsAreNone) {
  for (const char* text : {"", " ", " file", "file", "filex y", "src/lib.rs", "File x", "new", "new x"}) {
    EXPECT_EQ(parse_difference(text).kind, Difference::none) << text;
  }
}

// As they stand in the logs of users.
TEST(DifferenceTest, TheWordsStay) {
  EXPECT_EQ(describe({Difference::file, "a.h"}), "file a.h");
  EXPECT_EQ(describe({Difference::absent, "a.h"}), "new file a.h");
  EXPECT_EQ(describe({Difference::presence, "a.h"}), "presence of a.h");
  EXPECT_EQ(describe({Difference::listing, "src"}), "list of src");
  EXPECT_EQ(describe({Difference::link, "a.h"}), "link a.h");
  EXPECT_EQ(describe({Difference::program, "ld"}), "program ld");
  EXPECT_EQ(describe({Difference::variable, "CFLAGS"}), "variable CFLAGS");
  EXPECT_EQ(describe({Difference::location, "/w"}), "location /w");
  EXPECT_EQ(describe({Difference::times, "a.h"}), "time of file a.h");
}

}  // namespace
}  // namespace kache
