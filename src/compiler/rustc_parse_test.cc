#include <gtest/gtest.h>

#include "tests/unit/parse_line.h"

namespace kache {
namespace {

struct Row {
  std::string line, key;
};

TEST(RustcParse, each_argument_is_in_the_key_in_order_and_paths_are_told_apart) {
  const Row rows[] = {
      {"src/lib.rs", "source <src/lib.rs>"},
      {"/w/src/lib.rs --test -g -O", "source </w/src/lib.rs> | --test | -g | -O"},
      {"a.rs --edition=2021 --cfg unix --check-cfg=cfg(test)",
       "source <a.rs> | --edition=2021 | --cfg=unix | --check-cfg=cfg(test)"},
      {"a.rs --crate-name=n --crate-type lib,bin", "source <a.rs> | --crate-name=n | --crate-type=lib,bin"},
      {"a.rs --extern n=/w/libn.rlib", "source <a.rs> | --extern=n=</w/libn.rlib>"},
      {"a.rs --extern priv,noprelude:n=/w/libn.rlib", "source <a.rs> | --extern=priv,noprelude:n=</w/libn.rlib>"},
      {"a.rs --extern proc_macro", "source <a.rs> | --extern=proc_macro"},
      {"a.rs --extern n=", "source <a.rs> | --extern=n="},
      {"a.rs -L native=/w/n -L/w/all -Lframework=/w/f -L crate=c",
       "source <a.rs> | -L native=</w/n> | -L </w/all> | -L framework=</w/f> | -L crate=<c>"},
      {"a.rs -L all=/w/x=y", "source <a.rs> | -L all=</w/x=y>"},
      {"a.rs -L /w/x=y", "source <a.rs> | -L </w/x=y>"},
      {"a.rs -l static=z -lz", "source <a.rs> | -l static=z | -l z"},
      {"a.rs --sysroot /s --target t", "source <a.rs> | --sysroot=</s> | --target=t"},
      {"a.rs --target=/w/t.json", "source <a.rs> | --target=</w/t.json>"},
      {"a.rs --remap-path-prefix=/w=x", "source <a.rs> | --remap-path-prefix=</w> | =x"},
      {"a.rs --remap-path-prefix /w/a=b=x", "source <a.rs> | --remap-path-prefix=</w/a=b> | =x"},
      {"a.rs -C linker=/usr/bin/ld -Clinker=lld -C linker=./l",
       "source <a.rs> | -C linker=</usr/bin/ld> | -C linker=lld | -C linker=<./l>"},
      {"a.rs -C link-arg=/w/a.o -C link-arg=-L/w/l -C link-arg=-Wl,/w/x -Clink_arg=-s",
       "source <a.rs> | -C link-arg=</w/a.o> | -C link-arg=-L</w/l> | -C link-arg=-Wl,/w/x | -C link-arg=-s"},
      {"a.rs -C profile-use=/w/p -C profile-generate -C profile-generate=/w/g",
       "source <a.rs> | -C profile-use=</w/p> | -C profile-generate | -C profile-generate=</w/g>"},
      {"a.rs -Zthreads=8 -Z macro_backtrace", "source <a.rs> | -Z threads=8 | -Z macro-backtrace"},
      {"a.rs -A x --deny=y --cap-lints warn", "source <a.rs> | -A x | -D y | --cap-lints=warn"},
      {"a.rs --error-format=json --json artifacts --color=always",
       "source <a.rs> | --error-format=json | --json=artifacts | --color=always"},
      {"--brand-new a.rs -q", "--brand-new | source <a.rs> | -q"},
      {"--env-set A=b -- a.rs", "--env-set=A=b | -- | source <a.rs>"},
  };
  for (const Row& row : rows) {
    ParsedInvocation parsed = parse_line(row.line);
    EXPECT_FALSE(parsed.refused) << row.line << ": " << parsed.refused.reason();
    EXPECT_EQ(key_of(parsed), row.key) << row.line;
  }
}

TEST(RustcParse, what_says_only_where_outputs_go_is_not_in_the_key) {
  const char* const same[][2] = {
      {"a.rs --out-dir /w/x", "a.rs --out-dir=/v/y"},
      {"a.rs -o /w/x/app", "a.rs -o app"},
      {"a.rs --emit=dep-info=/w/a.d,link", "a.rs --emit=dep-info=b/a.d,link"},
      {"a.rs -L dependency=/w/deps", "a.rs -Ldependency=/v/deps"},
      {"a.rs -C incremental=/w/i", "a.rs"},
      {"a.rs --diagnostic-width=80", "a.rs"},
  };
  for (auto& [one, other] : same) EXPECT_EQ(key_of(parse_line(one)), key_of(parse_line(other))) << one;
  const char* const different[][2] = {
      {"a.rs -o x", "a.rs -o y"},
      {"a.rs --emit=link=x", "a.rs --emit=link=y"},
      {"a.rs --emit=link", "a.rs --emit=link=link"},
      {"a.rs --emit=link,metadata", "a.rs --emit=link"},
      {"a.rs -O -C opt-level=0", "a.rs -C opt-level=0 -O"},
      {"a.rs --cfg a --cfg b", "a.rs --cfg b --cfg a"},
      {"a.rs -A x -D x", "a.rs -D x -A x"},
      {"a.rs -C metadata=1", "a.rs -C metadata=2"},
      {"a.rs --test", "a.rs"},
      {"a.rs --crate-type=lib", "a.rs --crate-type=bin"},
      {"a.rs --target=x", "a.rs --target=y"},
      {"a.rs --sysroot=/x", "a.rs --sysroot=/y"},
      {"a.rs --cap-lints=warn", "a.rs --cap-lints=allow"},
      {"a.rs --extern n=/w/n.rlib", "a.rs --extern priv:n=/w/n.rlib"},
      {"a.rs --some-new-flag", "a.rs"},
      {"a.rs -Zthreads=1", "a.rs -Zthreads=2"},
  };
  for (auto& [one, other] : different) EXPECT_NE(key_of(parse_line(one)), key_of(parse_line(other))) << one;
}

TEST(RustcParse, all_spellings_of_one_thing_are_one_key) {
  for (const char* line : {"a.rs -C opt-level=3", "a.rs -Copt-level=3", "a.rs --codegen opt-level=3",
                           "a.rs --codegen=opt_level=3", "a.rs --C=opt-level=3"}) {
    EXPECT_EQ(key_of(parse_line(line)), "source <a.rs> | -C opt-level=3") << line;
  }
  EXPECT_EQ(key_of(parse_words({"a.rs", "-C", "link-args=/w/a.o  -s"})),
            key_of(parse_line("a.rs -C link-args=/w/a.o -C link-args=-s")));
  // A space in the value is not the space behind a flag.
  EXPECT_NE(key_of(parse_words({"a.rs", "-C opt-level=3"})), key_of(parse_line("a.rs -C opt-level=3")));
}

TEST(RustcParse, where_the_output_directory_shapes_the_output_it_is_in_the_key) {
  const char* const flags[] = {"-C rpath", "-C split-debuginfo=unpacked", "-Csplit_debuginfo=packed",
                               "--print link-args", "-Z no-link"};
  for (const char* flag : flags) {
    std::string line = std::string("a.rs --out-dir t ") + flag;
    EXPECT_NE(key_of(parse_line(line)).find("output directory </w/t>"), std::string::npos) << line;
  }
  EXPECT_NE(key_of(parse_line("a.rs --emit=link=x/y -C rpath -L dependency=d")).find("output </w/x/y>"), std::string::npos);
  EXPECT_NE(key_of(parse_line("a.rs -C rpath -L dependency=d")).find("-L dependency=</w/d>"), std::string::npos);
  for (const char* line : {"a.rs --out-dir t -C rpath=no", "a.rs --out-dir t -C rpath -C rpath=off",
                           "a.rs --out-dir t -C split-debuginfo=off", "a.rs --out-dir t -Zno-link=no"}) {
    EXPECT_EQ(key_of(parse_line(line)).find("output directory"), std::string::npos) << line;
  }
}

TEST(RustcParse, the_last_of_several_counts) {
  EXPECT_EQ(parse_line("a.rs -Cincremental=a -C incremental=b").invocation.incremental_dir, "b");
  EXPECT_EQ(parse_line("a.rs -Cextra-filename=-a --codegen extra_filename=-b").invocation.extra_filename, "-b");
  EXPECT_TRUE(parse_line("a.rs -C target-cpu=native").invocation.native_cpu);
  EXPECT_FALSE(parse_line("a.rs -C target-cpu=native -Ctarget_cpu=x86-64").invocation.native_cpu);
  EXPECT_TRUE(parse_line("a.rs -Ztune_cpu=native").invocation.native_cpu);
  EXPECT_FALSE(parse_line("a.rs -Ztune-cpu=native -Ztune-cpu=znver3").invocation.native_cpu);
  EXPECT_TRUE(parse_line("a.rs -C save-temps").invocation.temps_kept);
  EXPECT_FALSE(parse_line("a.rs -C save-temps -C save-temps=no").invocation.temps_kept);
  Invocation emits = parse_line("a.rs --emit link=a,dep-info --emit=link=b").invocation;
  ASSERT_EQ(emits.emits.size(), 2u);
  EXPECT_EQ(emits.emits[0].kind, "link");
  EXPECT_EQ(emits.emits[0].path, "b");
  EXPECT_EQ(emits.emits[1].kind, "dep-info");
}

TEST(RustcParse, coverage_is_on_unless_it_is_switched_off) {
  for (const char* value : {"", "=all", "=yes", "=on", "=y", "=true"}) {
    EXPECT_TRUE(parse_line(std::string("a.rs -C instrument-coverage") + value).invocation.coverage) << value;
    EXPECT_TRUE(parse_line(std::string("a.rs -Cinstrument_coverage") + value).invocation.coverage) << value;
  }
  for (const char* value : {"=off", "=no", "=n", "=false", "=0"}) {
    EXPECT_FALSE(parse_line(std::string("a.rs -C instrument-coverage") + value).invocation.coverage) << value;
  }
}

TEST(RustcParse, crate_name_is_what_rustc_derives) {
  EXPECT_EQ(parse_line("src/foo-bar.rs").invocation.crate_name, "foo_bar");
  EXPECT_EQ(parse_line("src/foo.bar.rs").invocation.crate_name, "foo.bar");
  EXPECT_EQ(parse_line("src/foo").invocation.crate_name, "foo");
  EXPECT_EQ(parse_line(".rs").invocation.crate_name, ".rs");
  EXPECT_EQ(parse_line("src/foo-bar.rs --crate-name=other").invocation.crate_name, "other");
}

TEST(RustcParse, externs_and_search_directories_are_taken_apart) {
  Invocation it =
      parse_line("a.rs --extern noprelude:n=/w/n.rlib --extern m --extern a::b=/w/ab.rlib -L d -Lnative=n").invocation;
  ASSERT_EQ(it.externs.size(), 3u);
  EXPECT_EQ(it.externs[0].options, "noprelude");
  EXPECT_EQ(it.externs[0].name, "n");
  EXPECT_EQ(it.externs[0].path, "/w/n.rlib");
  EXPECT_EQ(it.externs[1].name, "m");
  EXPECT_EQ(it.externs[1].path, "");
  EXPECT_EQ(it.externs[2].name, "a::b");
  EXPECT_EQ(it.externs[2].options, "");
  ASSERT_EQ(it.search_dirs.size(), 2u);
  EXPECT_EQ(it.search_dirs[0].kind, "all");
  EXPECT_EQ(it.search_dirs[0].path, "d");
  EXPECT_EQ(it.search_dirs[1].kind, "native");
}

TEST(RustcParse, clippy_driver_keeps_the_rustc_it_was_given) {
  CommandLine line{{"/t/clippy-driver", "/t/rustc", "--crate-name", "n", "a.rs"}, "/w", Env()};
  Invocation it = parse_rustc(posix_file_system(), line, Recognised::rustc).invocation;
  EXPECT_EQ(it.program, "/t/clippy-driver");
  EXPECT_EQ(it.inner, "/t/rustc");
  EXPECT_EQ(it.args, words_of("--crate-name n a.rs"));
  EXPECT_EQ(it.source, "a.rs");
}

TEST(RustcParse, bytes_that_are_no_utf8_are_kept) {
  ParsedInvocation parsed = parse_words({"\xff.rs", "--cfg", "\xfe"});
  EXPECT_EQ(key_of(parsed), "source <\xff.rs> | --cfg=\xfe");
}

}  // namespace
}  // namespace kache
