#include "compiler/rustc_flags.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/parse_line.h"

namespace kache {
namespace {

// "C=opt-level=3 g ?--new x.rs": what the words are taken for.
std::string split_to_text(const std::vector<std::string>& args) {
  std::string out;
  for (const Word& word : split_words(args).words) {
    if (!out.empty()) out += " ";
    if (word.kind == Word::unknown) out += "?";
    if (word.kind == Word::flag) {
      out += word.row->letter ? std::string(1, word.row->letter) : std::string(word.row->name);
      if (word.row->takes_value) out += "=";
    }
    out += word.text;
  }
  return out;
}

TEST(RustcFlags, tables_name_each_thing_once_and_in_rustcs_spelling) {
  std::set<std::string> names;
  for (const FlagRow& row : all_flags()) {
    EXPECT_TRUE(row.letter || !row.name.empty());
    if (row.letter) {
      EXPECT_TRUE(names.insert(std::string(1, row.letter)).second) << row.letter;
    }
    if (!row.name.empty()) {
      EXPECT_TRUE(names.insert(std::string(row.name)).second) << row.name;
      EXPECT_GT(row.name.size(), 1u) << "a name of one letter is looked up as a letter";
      EXPECT_EQ(find_flag(row.name)->flag, row.flag);
    }
  }
  names.clear();
  for (const CodegenRow& row : all_codegen_options()) {
    EXPECT_TRUE(names.insert(std::string(row.name)).second) << row.name;
    EXPECT_EQ(canonical_option(row.name), row.name);
  }
  names.clear();
  for (const UnstableRow& row : all_unstable_options()) {
    EXPECT_TRUE(names.insert(std::string(row.name)).second) << row.name;
    EXPECT_EQ(canonical_option(row.name), row.name);
    bool refuses = row.option == Unstable::refused || row.option == Unstable::refused_unless_off;
    EXPECT_EQ(refuses, row.refusal != Refusal::none) << row.name;
  }
}

struct Split {
  std::vector<std::string> args;
  std::string words;
};

TEST(RustcFlags, words_are_split_as_getopts_does) {
  const Split cases[] = {
      {{"-C", "opt-level=3"}, "C=opt-level=3"},
      {{"-Copt-level=3"}, "C=opt-level=3"},
      {{"--codegen", "opt-level=3"}, "C=opt-level=3"},
      {{"--codegen=opt-level=3"}, "C=opt-level=3"},
      {{"--C", "opt-level=3"}, "C=opt-level=3"},
      {{"--o=x"}, "o=x"},
      {{"-gO"}, "g O"},
      {{"-vV"}, "v V"},
      {{"-gCopt-level=3"}, "g C=opt-level=3"},
      {{"-gC", "opt-level=3", "a.rs"}, "g C=opt-level=3 a.rs"},
      {{"-o", "-g"}, "o=-g"},                   // a value may look like a flag
      {{"--out-dir", "--test"}, "out-dir=--test"},
      {{"--out-dir="}, "out-dir="},
      {{"-"}, "-"},
      {{""}, ""},
      {{"a.rs", "--", "-g", "--", "b.rs"}, "a.rs ?-- -g -- b.rs"},
      {{"--new-flag=x", "--newer", "a.rs"}, "?--new-flag=x ?--newer a.rs"},
      {{"-q", "-gq"}, "?-q ?-gq"},              // nobody knows what the g in there means
      {{"--test=1"}, "?--test=1"},              // rustc: no value allowed
      {{"-W", "unused", "--force-warn=x"}, "W=unused force-warn=x"},
      {{"---"}, "?---"},
      {{"--=x"}, "?--=x"},
  };
  for (const Split& c : cases) EXPECT_EQ(split_to_text(c.args), c.words) << (c.args.empty() ? "" : c.args[0]);
}

TEST(RustcFlags, a_value_that_is_missing_is_reported) {
  EXPECT_EQ(split_words({"a.rs", "-o"}).lacks_value, "-o");
  EXPECT_EQ(split_words({"--emit"}).lacks_value, "--emit");
  EXPECT_EQ(split_words({"-gC"}).lacks_value, "-gC");
  EXPECT_EQ(split_words({"-g"}).lacks_value, "");
}

}  // namespace
}  // namespace kache
