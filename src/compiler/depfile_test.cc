#include "compiler/depfile.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

// Bytes that gcc 12 and clang 14 wrote.
constexpr std::string_view kGcc =
    "q r$s x\\ y$$z: sub/b.c /usr/include/stdc-predef.h inc/h.h \\\n inc/sp\\ ace/s\\#x$$y.h\n"
    "/usr/include/stdc-predef.h:\ninc/h.h:\ninc/sp\\ ace/s\\#x$$y.h:\n";
constexpr std::string_view kClang =
    "x\\ y$$z q r$s: sub/b.c inc/h.h inc/sp\\ ace/s\\#x$$y.h\n\ninc/h.h:\n\ninc/sp\\ ace/s\\#x$$y.h:\n";

TEST(Depfile, ReadsAndWritesWhatTheCompilersWrite) {
  Result<Depfile> gcc = read_depfile(kGcc);
  ASSERT_TRUE(gcc.ok());
  EXPECT_EQ(gcc->phony, PhonyRules::tight);
  EXPECT_EQ(gcc->targets, (std::vector<std::string>{"q", "r$s", "x\\ y$$z"}));
  EXPECT_EQ(gcc->files, (std::vector<std::string>{"sub/b.c", "/usr/include/stdc-predef.h", "inc/h.h", "inc/sp ace/s#x$y.h"}));
  EXPECT_EQ(write_depfile(*gcc), kGcc);
  Result<Depfile> clang = read_depfile(kClang);
  ASSERT_TRUE(clang.ok());
  EXPECT_EQ(clang->phony, PhonyRules::spaced);
  EXPECT_EQ(write_depfile(*clang), kClang);
}

TEST(Depfile, FoldsLinesForPathsOfAnyLength) {
  for (DepfileStyle style : {DepfileStyle::gcc, DepfileStyle::clang}) {
    for (size_t length = 1; length < 90; ++length) {
      Depfile depfile{style, PhonyRules::none, {"a.o"}, {}};
      for (int i = 0; i < 7; ++i) depfile.files.push_back(std::string(length + static_cast<size_t>(i), 'x'));
      Result<Depfile> again = read_depfile(write_depfile(depfile));
      ASSERT_TRUE(again.ok()) << length;
      EXPECT_EQ(again->files, depfile.files);
      EXPECT_EQ(write_depfile(*again), write_depfile(depfile));
    }
  }
}

TEST(Depfile, EscapesLikeMakeReads) {
  EXPECT_EQ(escape_for_make("a b"), "a\\ b");
  EXPECT_EQ(escape_for_make("a\\ b"), "a\\\\\\ b");
  EXPECT_EQ(escape_for_make("a\\b#$"), "a\\b\\#$$");
}

TEST(Depfile, IsNotReadWhereItWouldComeBackOtherwise) {
  for (std::string_view bytes : {"", "\n", "a.o", "a.o:", ":\n", "a.o: b.c", "a.o:  b.c\n", "a.o : b.c\n", "a.o: b.c\n\n\nx\n",
                                 "a.o: b.c\nc.o: d.c\n", "a.o: \\\n b.c\n", "a.o: b$c\n"}) {
    EXPECT_FALSE(read_depfile(bytes).ok()) << bytes;
  }
  EXPECT_TRUE(read_depfile("a.o: b.c\n").ok());
  EXPECT_TRUE(read_depfile("a.o:\n").ok());
}

}  // namespace
}  // namespace kache
