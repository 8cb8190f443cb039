#include <gtest/gtest.h>

#include "compiler/compilers.h"

namespace kache {
namespace {

ParsedInvocation parse(std::vector<std::string> args) {
  args.insert(args.begin(), "rustc");
  return parse_rustc(posix_file_system(), {std::move(args), "/work", Env(std::vector<std::string>{})},
                     Recognised::rustc);
}

TEST(RustcParse, what_cargo_passes_for_a_library) {
  ParsedInvocation parsed = parse({"--crate-name", "my_lib", "--edition=2021", "src/lib.rs", "--error-format=json",
                                   "--json=artifacts", "--crate-type", "lib", "--emit=dep-info,metadata,link", "-C",
                                   "embed-bitcode=no", "-C", "extra-filename=-1a", "--out-dir", "/t/debug/deps", "-L",
                                   "dependency=/t/debug/deps", "--extern", "priv:x=/t/debug/deps/libx-2.rmeta", "-C",
                                   "incremental=/t/debug/incremental"});
  ASSERT_FALSE(parsed.refused) << parsed.refused.reason();
  const Invocation& invocation = parsed.invocation;
  EXPECT_EQ(invocation.crate_name, "my_lib");
  EXPECT_EQ(invocation.source, "src/lib.rs");
  EXPECT_EQ(invocation.output_stems(), (std::vector<std::string>{"my_lib-1a", "libmy_lib-1a"}));
  EXPECT_EQ(invocation.emits.size(), 3u);
  EXPECT_EQ(invocation.externs.at(0).name, "x");
  EXPECT_EQ(invocation.externs.at(0).options, "priv");
  EXPECT_EQ(invocation.incremental_dir, "/t/debug/incremental");
  EXPECT_TRUE(invocation.json_errors);
  EXPECT_FALSE(invocation.makes_user_executable());
}

TEST(RustcParse, only_what_is_proven_harmless_is_left_out_of_the_key) {
  auto key = [](const std::vector<std::string>& args) { return parse(args).invocation.key_args; };
  std::vector<std::string> base = {"src/main.rs", "--out-dir", "/a"};
  auto with = [&](std::initializer_list<std::string> more) {
    std::vector<std::string> args = base;
    args.insert(args.end(), more);
    return key(args);
  };
  EXPECT_EQ(key({"src/main.rs", "--out-dir", "/b"}), key(base));
  EXPECT_EQ(with({"--diagnostic-width=80"}), key(base));
  EXPECT_EQ(with({"-C", "incremental=/x"}), with({"-Cincremental=/y"}));
  EXPECT_EQ(with({"-L", "dependency=/x"}), with({"-L", "dependency=/y"}));
  for (const char* flag : {"-O", "-g", "--test", "--cfg=x", "-Dwarnings", "--cap-lints=allow", "-Copt-level=3",
                           "--error-format=json", "--color=always", "-Zsome-new-flag", "--some-new-flag=1", "-lfoo",
                           "-Lnative=/x", "--check-cfg=cfg(x)", "--edition=2024", "--target=t", "-v"}) {
    EXPECT_NE(with({flag}), key(base)) << flag;
  }
  EXPECT_NE(with({"-A", "x", "-D", "y"}), with({"-D", "y", "-A", "x"}));
}

TEST(RustcParse, spellings_of_one_option_are_read_alike) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"-C", "target-cpu=native"}, {"-Ctarget-cpu=native"}, {"--codegen", "target_cpu=native"},
        {"--codegen=target-cpu=native"}}) {
    std::vector<std::string> all = {"x.rs"};
    all.insert(all.end(), args.begin(), args.end());
    EXPECT_TRUE(parse(all).invocation.native_cpu) << args[0];
  }
  EXPECT_TRUE(parse({"x.rs", "-Cinstrument_coverage"}).invocation.coverage);
  EXPECT_FALSE(parse({"x.rs", "-Cinstrument-coverage=off"}).invocation.coverage);
}

TEST(RustcParse, refusals) {
  struct Case {
    std::vector<std::string> args;
    Refusal refusal;
  };
  for (const Case& c : {Case{{"-"}, Refusal::source_from_stdin}, {{}, Refusal::not_a_compile},
                        {{"--help"}, Refusal::help_or_explain}, {{"--explain", "E0001"}, Refusal::help_or_explain},
                        {{"a.rs", "b.rs"}, Refusal::not_a_compile}, {{"a.rs", "-o", "-"}, Refusal::output_to_stdout},
                        {{"a.rs", "--emit=asm=-"}, Refusal::output_to_stdout},
                        {{"a.rs", "-o", "/dev/null"}, Refusal::output_not_private_file},
                        {{"a.rs", "-Zunpretty=expanded"}, Refusal::prints_to_stdout},
                        {{"a.rs", "-Zself-profile"}, Refusal::time_traces},
                        {{"@/nonexistent"}, Refusal::response_file}}) {
    EXPECT_EQ(parse(c.args).refused.refusal, c.refusal) << (c.args.empty() ? "" : c.args[0]);
  }
  EXPECT_EQ(parse({"-vV"}).invocation.purpose, Purpose::probe);
  EXPECT_EQ(parse({"-", "--print=cfg"}).invocation.purpose, Purpose::probe);
  EXPECT_EQ(parse({"a.rs", "--print=native-static-libs"}).invocation.purpose, Purpose::compile);
}

TEST(Recognise, names_and_chains) {
  Env env(std::vector<std::string>{"RUSTC=/x/kani", "PATH=/bin"});
  auto kind = [&](std::vector<std::string> args) { return recognise(posix_file_system(), args, env).kind; };
  EXPECT_EQ(kind({"rustc", "-vV"}), Recognised::rustc);
  EXPECT_EQ(kind({"/t/bin/rustc-1.95", "x"}), Recognised::rustc);
  EXPECT_EQ(kind({"/t/bin/clippy-driver", "/t/bin/rustc"}), Recognised::rustc);
  EXPECT_EQ(kind({"/t/wrap", "/t/bin/rustc"}), Recognised::chain);
  EXPECT_EQ(kind({"/x/kani", "a"}), Recognised::driver);
  EXPECT_EQ(kind({"stats"}), Recognised::tool);
  EXPECT_EQ(kind({"rustcoalescent"}), Recognised::tool);
  EXPECT_EQ(kind({}), Recognised::tool);
}

}  // namespace
}  // namespace kache
