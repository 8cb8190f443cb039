#include "compiler/redirect.h"

#include <gtest/gtest.h>

#include "compiler/compilers.h"
#include "tests/support/mem_file_system.h"

namespace kache {
namespace {

using Words = std::vector<std::string>;

class Redirect : public ::testing::Test {
 protected:
  ParsedInvocation parse(const CommandLine& line, Recognised::Kind kind) { return parse_invocation(fs_, line, kind); }

  // The words behind the program, and in `outputs_` what they make.
  Words redirect(Words argv, Recognised::Kind kind) {
    CommandLine line{std::move(argv), "/w", Env(Words{})};
    ParsedInvocation before = parse(line, kind);
    EXPECT_FALSE(before.refused) << before.refused.reason();
    Redirected redirected = redirect_outputs(line, before.invocation, "/t");
    ParsedInvocation after = parse(redirected.line, kind);
    EXPECT_EQ(after.invocation.key_args, before.invocation.key_args);
    outputs_.clear();
    for (const NamedOutput& output : after.invocation.named_outputs) outputs_.push_back(output.path);
    if (kind == Recognised::rustc) outputs_.push_back(after.invocation.output_dir());
    dirs_.clear();
    for (const RedirectedDir& dir : redirected.dirs) dirs_.push_back(dir.from + ">" + dir.to);
    return Words(redirected.line.argv.begin() + 1, redirected.line.argv.end());
  }
  Words cc(Words argv) { return redirect(std::move(argv), Recognised::cc); }
  Words rustc(Words argv) { return redirect(std::move(argv), Recognised::rustc); }

  ManualClock clock_;
  MemFileSystem fs_{clock_};
  Words outputs_, dirs_;
};

TEST_F(Redirect, OutputsOfCGoElsewhereUnderTheirNames) {
  EXPECT_EQ(cc({"gcc", "-c", "a.c", "-o", "obj/a.o"}), (Words{"-c", "a.c", "-o", "/t/0/a.o"}));
  EXPECT_EQ(dirs_, Words{"obj>/t/0"});
  EXPECT_EQ(cc({"gcc", "-c", "a.c", "-oa.o"}), (Words{"-c", "a.c", "-o/t/0/a.o"}));
  EXPECT_EQ(dirs_, Words{">/t/0"});
  EXPECT_EQ(cc({"gcc", "-MMD", "-MF", "dep/a.d", "-MT", "obj/a.o", "-c", "a.c", "-o", "obj/a.o"}),
            (Words{"-MMD", "-MF", "/t/0/a.d", "-MT", "obj/a.o", "-c", "a.c", "-o", "/t/1/a.o"}));
  EXPECT_EQ(outputs_, (Words{"/t/1/a.o", "/t/0/a.d"}));
  EXPECT_EQ(cc({"gcc", "-Wp,-MMD,obj/.a.d", "-c", "a.c", "-o", "obj/a.o"}), (Words{"-Wp,-MMD,/t/0/.a.d", "-c", "a.c", "-o", "/t/0/a.o"}));
  EXPECT_EQ(cc({"gcc", "a.o", "-o", "bin/p", "-Wl,-Map=bin/p.map,--gc-sections"}), (Words{"a.o", "-o", "/t/0/p", "-Wl,-Map=/t/0/p.map,--gc-sections"}));
}

TEST_F(Redirect, WhatNamesNoOutputStaysWhereItIs) {
  EXPECT_EQ(cc({"gcc", "-c", "a.c"}), (Words{"-c", "a.c"}));
  EXPECT_EQ(outputs_, Words{"a.o"});  // which tells the caller
  EXPECT_EQ(cc({"gcc", "a.o", "-o", "p", "-Xlinker", "-Map", "-Xlinker", "p.map"}), (Words{"a.o", "-o", "/t/0/p", "-Xlinker", "-Map", "-Xlinker", "p.map"}));
  EXPECT_EQ(outputs_, (Words{"/t/0/p", "p.map"}));  // it is in the key as it stands
  EXPECT_EQ(cc({"gcc", "-c", "obj/a.o.c", "-DOUT=obj/a.o", "-o", "obj/a.o"}), (Words{"-c", "obj/a.o.c", "-DOUT=obj/a.o", "-o", "/t/0/a.o"}));
}

TEST_F(Redirect, OutputsOfRustGoElsewhere) {
  EXPECT_EQ(rustc({"rustc", "--crate-name", "a", "src/lib.rs", "--emit=dep-info,link", "--out-dir", "/b/deps", "-L", "dependency=/b/deps"}),
            (Words{"--crate-name", "a", "src/lib.rs", "--emit=dep-info,link", "--out-dir", "/t/0", "-L", "dependency=/b/deps"}));
  EXPECT_EQ(outputs_, Words{"/t/0"});
  EXPECT_EQ(rustc({"rustc", "a.rs", "--out-dir=/b", "--emit", "link=x/liba.rlib,dep-info=y/a.d"}),
            (Words{"a.rs", "--out-dir=/t/0", "--emit", "link=/t/1/liba.rlib,dep-info=/t/2/a.d"}));
  EXPECT_EQ(rustc({"rustc", "-o", "x/a", "a.rs"}), (Words{"-o", "/t/0/a", "a.rs"}));
  EXPECT_EQ(rustc({"clippy-driver", "rustc", "a.rs", "--out-dir", "o"}), (Words{"rustc", "a.rs", "--out-dir", "/t/0"}));
}

TEST_F(Redirect, ResponseFilesOfRustAreWrittenOut) {
  ASSERT_TRUE(fs_.make_dir("/w", 0755).ok() && fs_.create("/w/args", "--out-dir\n/b\na.rs\n", 0644).ok());
  EXPECT_EQ(rustc({"rustc", "@args"}), (Words{"--out-dir", "/t/0", "a.rs"}));
}

}  // namespace
}  // namespace kache
