#include "compiler/cc_flags.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace kache {
namespace {

TEST(CcFlags, TableIsSortedAndWithoutDoubles) {
  std::vector<CcFlagRow> rows = all_cc_flags();
  for (size_t i = 1; i < rows.size(); ++i) EXPECT_LT(rows[i - 1].name, rows[i].name);
  for (const CcFlagRow& row : rows) {
    EXPECT_TRUE(row.name.starts_with('-') && row.name.size() >= 2) << row.name;
    EXPECT_EQ(row.flag == CcFlag::refused, row.refusal != Refusal::none) << row.name;
    EXPECT_EQ(find_cc_flag(row.name)->name, row.name);
  }
}

struct Case {
  std::vector<std::string> args;
  std::string name, value;
};

TEST(CcFlags, TheLongestNameCounts) {
  for (const auto& [arg, name] : std::vector<std::pair<std::string, std::string>>{
           {"-Ifoo", "-I"}, {"-includex.h", "-include"}, {"-include-pch", "-include-pch"}, {"-isystem/x", "-isystem"},
           {"-g3", "-g"}, {"-g0", "-g0"}, {"-ggdb", "-g"}, {"-gsplit-dwarf=single", "-gsplit-dwarf"}, {"-MMD", "-MMD"},
           {"-MFx", "-MF"}, {"-ofile", "-o"}, {"-Wl,-z,now", "-Wl,"}, {"-fprofile-use=x", "-fprofile-use"},
           {"-fdiagnostics-color=always", "-fdiagnostics-color"}, {"-xc++", "-x"}}) {
    ASSERT_NE(find_cc_flag(arg), nullptr) << arg;
    EXPECT_EQ(find_cc_flag(arg)->name, name) << arg;
  }
  for (const char* arg : {"-Wall", "-O2", "-fPIC", "-std=c99", "-m64", "-pthread", "-shared", "-cc1", "-Mx", "-emain", "-specs=x"}) {
    EXPECT_EQ(find_cc_flag(arg), nullptr) << arg;
  }
}

TEST(CcFlags, WordsTakeTheirValues) {
  std::vector<std::string> args = {"-I", "a", "-Ib", "-o", "x.o", "-c", "y.c", "-Xarch_host", "-O3", "--", "-z.c"};
  CcWords words = split_cc_words(args);
  std::vector<std::string> seen;
  for (const CcWord& word : words.words) {
    seen.push_back(std::string(word.row ? word.row->name : word.text) + "|" + std::string(word.value) + "|" +
                   std::to_string(word.first) + "+" + std::to_string(word.count) +
                   (word.kind == CcWord::input ? " input" : ""));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"-I|a|0+2", "-I|b|2+1", "-o|x.o|3+2", "-c||5+1", "y.c||6+1 input",
                                            "-Xarch_|host|7+2", "--||9+1", "-z.c||10+1 input"}));
  EXPECT_EQ(words.lacks_value, "");
  EXPECT_EQ(split_cc_words(std::vector<std::string>{"a.c", "-o"}).lacks_value, "-o");
}

}  // namespace
}  // namespace kache
