#include <gtest/gtest.h>

#include "compiler/compilers.h"
#include "tests/support/mem_file_system.h"

namespace kache {
namespace {

using Words = std::vector<std::string>;

class CcParse : public ::testing::Test {
 protected:
  ParsedInvocation parse(Words argv) { return parse_cc(fs, CommandLine{std::move(argv), "/w", Env(Words{})}); }
  Words outputs(Words argv) {
    Words out;
    for (const NamedOutput& output : parse(std::move(argv)).invocation.named_outputs) out.push_back(output.role + " " + output.path);
    return out;
  }
  Refusal refusal(Words argv) { return parse(std::move(argv)).refused.refusal; }
  Words key(Words argv) {
    Words out;
    for (const KeyArg& arg : parse(std::move(argv)).invocation.key_args) out.push_back(arg.text + "|" + arg.path);
    return out;
  }
  ManualClock clock;
  MemFileSystem fs{clock};
};

TEST_F(CcParse, ObjectsAreNamedAsTheDriverNamesThem) {
  EXPECT_EQ(outputs({"gcc", "-c", "sub/a.c"}), Words{"object a.o"});
  EXPECT_EQ(outputs({"gcc", "-c", "a.c", "-o", "obj/x"}), Words{"object obj/x"});
  EXPECT_EQ(outputs({"gcc", "-c", "a.c", "-oobj/x.lo"}), Words{"object obj/x.lo"});
  EXPECT_EQ(outputs({"gcc", "-S", "a.c"}), Words{"assembly a.s"});
  EXPECT_EQ(outputs({"gcc", "-E", "a.c", "-o", "a.i"}), Words{"preprocessed a.i"});
  EXPECT_EQ(outputs({"gcc", "-fsyntax-only", "a.c"}), Words{});
  EXPECT_EQ(outputs({"gcc", "inc/a.h"}), Words{"precompiled-header inc/a.h.gch"});
  EXPECT_EQ(outputs({"gcc", "-x", "c++-header", "all", "-o", "all.gch"}), Words{"precompiled-header all.gch"});
}

TEST_F(CcParse, APrecompiledModuleIsNoLink) {
  EXPECT_EQ(outputs({"clang++", "--precompile", "sub/a.cppm"}), Words{"precompiled-module a.pcm"});
  EXPECT_EQ(outputs({"clang++", "--precompile", "a.cppm", "-o", "obj/a.bmi"}), Words{"precompiled-module obj/a.bmi"});
  EXPECT_EQ(parse({"clang++", "--precompile", "a.cppm"}).invocation.purpose, Purpose::compile);
  EXPECT_EQ(outputs({"clang++", "-c", "a.pcm"}), Words{"object a.o"});
  EXPECT_EQ(outputs({"clang++", "-fsyntax-only", "--precompile", "a.cppm"}), Words{});
}

TEST_F(CcParse, DepfilesAreNamedAsTheDriverNamesThem) {
  EXPECT_EQ(outputs({"gcc", "-MD", "-c", "sub/a.c"}), (Words{"object a.o", "depfile a.d"}));
  EXPECT_EQ(outputs({"gcc", "-MMD", "-c", "a.c", "-o", "obj/x.o"}), (Words{"object obj/x.o", "depfile obj/x.d"}));
  EXPECT_EQ(outputs({"gcc", "-MD", "-MFdeps/a", "-c", "a.c"}), (Words{"object a.o", "depfile deps/a"}));
  EXPECT_EQ(outputs({"gcc", "-Wp,-MMD,a.dep", "-c", "a.c"}), (Words{"object a.o", "depfile a.dep"}));
  EXPECT_TRUE(parse({"gcc", "-MD", "-c", "a.s"}).invocation.named_outputs[1].may_lack);
}

TEST_F(CcParse, DepfileTargetsAreTheCompilers) {
  auto targets = [&](Words argv) { return parse(std::move(argv)).invocation.cc.depfile_targets; };
  EXPECT_EQ(targets({"gcc", "-MD", "-c", "a.c", "-o", "o b/x$.o"}), Words{"o\\ b/x$$.o"});
  EXPECT_EQ(targets({"gcc", "-MD", "-MQ", "q $", "-MT", "t u", "-c", "a.c"}), (Words{"t", "u", "q\\ $$"}));
  EXPECT_EQ(targets({"clang", "-MD", "-MQ", "q $", "-MT", "t u", "-c", "a.c"}), (Words{"q\\ $$", "t", "u"}));
  EXPECT_EQ(targets({"gcc", "-Wp,-MD,x.d", "-c", "sub/a.c", "-o", "obj/b.o"}), Words{"a.o"});
  EXPECT_EQ(targets({"clang", "-Wp,-MD,x.d", "-c", "sub/a.c", "-o", "obj/b.o"}), Words{"obj/b.o"});
}

TEST_F(CcParse, LinksAndWhatTheyWriteBeside) {
  EXPECT_EQ(parse({"gcc", "a.o", "-lm"}).invocation.purpose, Purpose::link);
  EXPECT_EQ(outputs({"gcc", "a.o", "-lm"}), Words{"link a.out"});
  EXPECT_EQ(outputs({"g++", "a.cc", "-o", "p", "-Wl,-Map=p.map", "-Wl,-z,now"}), (Words{"link p", "side p.map"}));
  EXPECT_EQ(outputs({"gcc", "a.o", "-o", "p", "-Wl,-Map,p.map,--as-needed"}), (Words{"link p", "side p.map"}));
  EXPECT_EQ(outputs({"gcc", "a.o", "-o", "p", "-Xlinker", "-Map", "-Xlinker", "p.map"}), (Words{"link p", "side p.map"}));
}

TEST_F(CcParse, TheKeyHoldsEverythingButWhereOutputsGo) {
  EXPECT_EQ(key({"gcc", "-O2", "-I", "inc", "-I/abs", "-DX=/y", "-c", "a.c", "-o", "z.o", "-MD", "-MF", "d"}),
            (Words{"-O2|", "-I|inc", "-I|/abs", "-DX=/y|", "-c|", "source c |a.c", "-o|", "-MD|", "-MF|"}));
  EXPECT_EQ(key({"gcc", "-fdebug-prefix-map=/w=.", "-fplugin=/p.so", "-c", "a.c"}),
            (Words{"-fdebug-prefix-map=|/w", "=.|", "-fplugin=|/p.so", "-c|", "source c |a.c"}));
  EXPECT_EQ(key({"gcc", "-gsplit-dwarf", "-c", "a.c", "-o", "z.o"}), (Words{"-gsplit-dwarf|", "-c|", "source c |a.c", "-o|", "output |z.o"}));
  EXPECT_EQ(key({"g++", "-c", "a.c"}), (Words{"-c|", "source c++ |a.c"}));
  EXPECT_EQ(key({"gcc", "-Wl,-rpath,/r,-z,now", "a.o"}), (Words{"-Wl,-rpath|", " |/r", "-Wl,-z|", "-Wl,now|", "input |a.o"}));
}

TEST_F(CcParse, ResponseFilesAreWords) {
  ASSERT_TRUE(fs.make_dir("/w", 0755).ok());
  ASSERT_TRUE(fs.create("/w/r", "-c 'a b.c' -o x.o", 0644).ok());
  ParsedInvocation parsed = parse({"gcc", "@r"});
  EXPECT_EQ(parsed.invocation.source, "a b.c");
  EXPECT_EQ(parsed.invocation.args, Words{"@r"});  // the compiler reads it itself
  EXPECT_EQ(parsed.invocation.argument_files, Words{"/w/r"});
}

TEST_F(CcParse, SeveralSourcesAreApart) {
  ParsedInvocation parsed = parse({"gcc", "-O1", "-c", "a.c", "b.c"});
  EXPECT_FALSE(parsed.refused);
  EXPECT_EQ(parsed.invocation.split_args, (Words{"-O1", "-c", "a.c", "b.c"}));
  EXPECT_EQ(parsed.invocation.source_arguments, (std::vector<size_t>{2, 3}));
}

TEST_F(CcParse, QuestionsAndShapesThatAreRefused) {
  for (Words argv : {Words{"gcc"}, Words{"gcc", "--version"}, Words{"gcc", "-v"}, Words{"gcc", "-M", "a.c"}, Words{"gcc", "-c"},
                     Words{"gcc", "-c", "a.c", "-o"}, Words{"gcc", "-print-search-dirs"}, Words{"gcc", "-c", "a.c", "b.c", "-o", "x.o"},
                     Words{"gcc", "-S", "-x", "c", ""}, Words{"gcc", "-c", "a.c", ""}, Words{"clang-cl", "/c", "/Tc"}}) {
    EXPECT_EQ(refusal(argv), Refusal::not_a_compile) << argv.back();
  }
  EXPECT_EQ(refusal({"gcc", "-c", "a.c", "-Wa,-aghls=a.lst"}), Refusal::time_macro);
  EXPECT_EQ(refusal({"gcc", "-c", "a.c", "-Wa,-ahls=g.lst"}), Refusal::none);
  EXPECT_EQ(refusal({"gcc", "-c", "a.c", "-Wa,--gdwarf-5"}), Refusal::none);
  EXPECT_EQ(refusal({"gcc", "-E", "a.c"}), Refusal::prints_to_stdout);
  EXPECT_EQ(refusal({"gcc", "-c", "-x", "c", "-"}), Refusal::source_from_stdin);
  EXPECT_EQ(refusal({"gcc", "-c", "a.c", "-o", "-"}), Refusal::output_to_stdout);
  EXPECT_EQ(refusal({"gcc", "-c", "a.c", "-o", "/dev/null"}), Refusal::output_not_private_file);
  EXPECT_EQ(refusal({"gcc", "-c", "a.c", "-wrapper", "gdb"}), Refusal::unsupported_flag);
  EXPECT_EQ(refusal({"clang", "-x", "cuda", "-c", "a.cu"}), Refusal::unsupported_flag);
  EXPECT_EQ(refusal({"clang", "-arch", "x", "-arch", "y", "-c", "a.c"}), Refusal::unsupported_flag);
  EXPECT_EQ(refusal({"nvcc", "-c", "a.cu"}), Refusal::unknown_driver);
}

TEST_F(CcParse, DebugInformationAndProbesAreKnown) {
  EXPECT_TRUE(parse({"gcc", "-g", "-c", "a.c"}).invocation.cc.debug_info);
  EXPECT_FALSE(parse({"gcc", "-g", "-g0", "-c", "a.c"}).invocation.cc.debug_info);
  EXPECT_TRUE(parse({"gcc", "-ffile-prefix-map=a=b", "-c", "a.c"}).invocation.cc.rewrites_paths);
  for (const char* flag : {"-frecord-command-line", "-frecord-gcc-switches", "-grecord-command-line", "-grecord-gcc-switches"}) {
    EXPECT_TRUE(parse({"clang", flag, "-c", "a.c"}).invocation.cc.rewrites_paths) << flag;
    EXPECT_FALSE(parse({"gcc", flag, "-c", "a.c"}).invocation.cc.rewrites_paths) << flag;  // leaves out maps
    EXPECT_FALSE(parse({"gcc", flag, "-c", "a.c"}).invocation.cc.debug_info) << flag;
  }
  EXPECT_TRUE(parse({"clang", "-MJ", "a.json", "-c", "a.c"}).invocation.cc.rewrites_paths);
  EXPECT_TRUE(parse({"gcc", "-c", "conftest.c"}).invocation.cc.is_configure_probe);
  EXPECT_TRUE(parse({"gcc", "-c", "/w/b/CMakeFiles/CMakeScratch/TryCompile-x/a.c"}).invocation.cc.is_configure_probe);
  for (const char* flag : {"-march=native", "-mtune=native", "-mcpu=native+fp16"}) EXPECT_TRUE(parse({"gcc", flag, "-c", "a.c"}).invocation.native_cpu) << flag;
  EXPECT_FALSE(parse({"gcc", "-march=x86-64", "-c", "a.c"}).invocation.native_cpu);
  EXPECT_TRUE(parse({"clang-cl", "/clang:-march=native", "/c", "a.c"}).invocation.native_cpu);
}

class ArParse : public CcParse {
 protected:
  ParsedInvocation ar(Words argv) { return parse_ar(fs, CommandLine{std::move(argv), "/w", Env(Words{})}); }
};

TEST_F(ArParse, LibrariesAreMadeOrChanged) {
  for (Words argv : {Words{"ar", "rcs", "l.a", "a.o"}, Words{"ar", "-qc", "l.a", "a.o"}, Words{"ranlib", "l.a"}, Words{"llvm-ar", "rc", "l.a"}}) {
    ParsedInvocation parsed = ar(argv);
    EXPECT_FALSE(parsed.refused) << argv[1];
    EXPECT_EQ(parsed.invocation.updates, Words{"l.a"});
    ASSERT_EQ(parsed.invocation.named_outputs.size(), 1u);
  }
}

TEST_F(ArParse, WhatIsOnlyAskedIsRun) {
  for (Words argv : {Words{"ar"}, Words{"ar", "t", "l.a"}, Words{"ar", "x", "l.a"}, Words{"ar", "d", "l.a", "a.o"}, Words{"ar", "--version"},
                     Words{"ar", "-M"}, Words{"ranlib", "--version"}, Words{"ar", "rcs"}, Words{"ar", "rcs", "", "a.o"}, Words{"ranlib", ""}}) {
    EXPECT_EQ(ar(argv).refused.refusal, Refusal::not_a_compile) << argv.back();
  }
  EXPECT_EQ(ar({"ar", "ra", "m.o", "l.a", "a.o"}).refused.refusal, Refusal::unsupported_flag);
  EXPECT_EQ(ar({"ranlib", "a.a", "b.a"}).refused.refusal, Refusal::unsupported_flag);
}

}  // namespace
}  // namespace kache
