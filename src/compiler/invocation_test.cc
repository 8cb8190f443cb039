#include "compiler/invocation.h"

#include <gtest/gtest.h>

#include "tests/unit/parse_line.h"

namespace kache {
namespace {

struct Case {
  const char* line;
  const char* dir;
  std::vector<const char*> files;  // what rustc 1.95 made of it, in `dir`
};

// True as the caller asks it: a stem, and then the end, a dot or a dash.
bool belongs(const std::string& name, const std::vector<std::string>& stems) {
  for (const std::string& stem : stems) {
    if (name.starts_with(stem) && (name.size() == stem.size() || name[stem.size()] == '.' || name[stem.size()] == '-')) return true;
  }
  return false;
}

TEST(Invocation, stems_and_directory_cover_the_files_that_rustc_makes) {
  const Case cases[] = {
      {"../foo-bar.rs", ".", {"foo-bar"}},
      {"../foo-bar.rs --crate-type lib --emit metadata,link,dep-info,obj", ".",
       {"libfoo_bar.rmeta", "libfoo_bar.rlib", "foo-bar.d", "foo-bar.o"}},
      {"../foo-bar.rs --crate-type lib --emit metadata,link,dep-info -o sub/abc.x -C extra-filename=-12", "sub",
       {"libabc-12.rmeta", "libfoo_bar-12.rlib", "abc-12.d"}},
      {"../foo-bar.rs --crate-type lib --out-dir sub -o abc", ".", {"abc"}},
      {"../foo-bar.rs --o=xyz", ".", {"xyz"}},
      {"x.rs --crate-name n --crate-type cdylib -C extra-filename=-1 --out-dir o", "o", {"libn-1.so", "n-1.d"}},
      {"../foo-bar.rs -g -Csplit-debuginfo=packed --out-dir d", "d",
       {"foo-bar", "foo-bar.dwp", "foo-bar.foo_bar.9e058eef5d93f799-cgu.0.rcgu.dwo"}},
      {"a.rs -o /x", "/", {"x"}},
  };
  for (const Case& c : cases) {
    Invocation it = parse_line(c.line).invocation;
    EXPECT_EQ(it.output_dir(), c.dir) << c.line;
    for (const char* file : c.files) EXPECT_TRUE(belongs(file, it.output_stems())) << c.line << ": " << file;
    EXPECT_FALSE(belongs("other.d", it.output_stems())) << c.line;
  }
}

TEST(Invocation, a_named_crate_does_not_claim_the_files_of_its_source_name) {
  Invocation it = parse_line("src/main.rs --crate-name app -C extra-filename=-1").invocation;
  EXPECT_EQ(it.output_stems(), (std::vector<std::string>{"app-1", "libapp-1"}));
}

TEST(Invocation, no_stem_is_empty) {
  for (const char* line : {".rs", "/", "a/", "-o / a.rs", "--crate-name= a.rs"}) {
    for (const std::string& stem : parse_line(line).invocation.output_stems()) EXPECT_FALSE(stem.empty()) << line;
  }
}

TEST(Invocation, linker_runs_for_what_runs_or_is_loaded_and_only_when_it_is_asked_for) {
  EXPECT_TRUE(parse_line("a.rs").invocation.links());
  EXPECT_TRUE(parse_line("a.rs --crate-type=rlib,cdylib").invocation.links());
  EXPECT_TRUE(parse_line("a.rs --crate-type=lib --test").invocation.links());
  EXPECT_FALSE(parse_line("a.rs --crate-type=lib,staticlib").invocation.links());
  EXPECT_FALSE(parse_line("a.rs --crate-type=cdylib --emit=metadata").invocation.links());
}

}  // namespace
}  // namespace kache
