// What is refused, what is a probe, and what looks like either and is a compile.
#include <gtest/gtest.h>

#include "tests/unit/parse_line.h"

namespace kache {
namespace {

struct Row {
  std::string line;
  Refusal refusal;
};

TEST(RustcRefusal, each_shape_has_its_reason) {
  const Row rows[] = {
      {"", Refusal::help_or_explain},
      {"-h", Refusal::help_or_explain},
      {"a.rs --help", Refusal::help_or_explain},
      {"--explain E0001", Refusal::help_or_explain},
      {"-C help", Refusal::help_or_explain},
      {"-Zhelp", Refusal::help_or_explain},
      {"-W help", Refusal::help_or_explain},
      {"--allow=help", Refusal::help_or_explain},
      {"a.rs -Wall", Refusal::help_or_explain},
      {"a.rs -C passes=list", Refusal::help_or_explain},
      {"-v", Refusal::not_a_compile},
      {"--crate-type=lib", Refusal::not_a_compile},
      {"a.rs b.rs", Refusal::not_a_compile},
      {"a.rs --emit", Refusal::not_a_compile},
      {"a.rlink -Zlink-only", Refusal::not_a_compile},
      {"-", Refusal::source_from_stdin},
      {"- --crate-name x --emit=link", Refusal::source_from_stdin},
      {"a.rs -Zunpretty=expanded", Refusal::prints_to_stdout},
      {"a.rs -Z unpretty=mir -o x", Refusal::prints_to_stdout},
      {"a.rmeta -Zls=root", Refusal::prints_to_stdout},
      {"a.rs --pretty=expanded", Refusal::prints_to_stdout},
      {"a.rs --emit=asm=-", Refusal::output_to_stdout},
      {"a.rs -o -", Refusal::output_to_stdout},
      {"a.rs -o /dev/null", Refusal::output_not_private_file},
      {"a.rs --emit=dep-info=/dev/stdout,link", Refusal::output_not_private_file},
      {"a.rs -o /proc/self/fd/1", Refusal::output_not_private_file},
      {"a.rs --out-dir=/dev/fd", Refusal::output_not_private_file},
      {"a.rs --print link-args=x", Refusal::unknown_write},
      {"--print cfg=x", Refusal::unknown_write},
      {"a.rs -Zdump-mir=no", Refusal::unknown_write},
      {"a.rs -Zremark_dir=x", Refusal::unknown_write},
      {"a.rs -Ztemps-dir=x", Refusal::unknown_write},
      {"a.rs -Zself-profile", Refusal::time_traces},
      {"a.rs -Zself_profile=no", Refusal::time_traces},  // a directory called "no"
      {"a.rs -Zllvm-time-trace", Refusal::time_traces},
      {"a.rs -Ztime-passes=yes", Refusal::time_traces},
      {"a.rs @shell:x", Refusal::response_file},
      {"a.rs @/nonexistent/args", Refusal::response_file},
      {"+nightly -vV", Refusal::unknown_driver},
      {"+nightly a.rs", Refusal::unknown_driver},
  };
  for (const Row& row : rows) {
    Refused refused = parse_line(row.line).refused;
    EXPECT_EQ(describe(refused.refusal).name, describe(row.refusal).name) << row.line;
  }
}

TEST(RustcRefusal, what_only_looks_alike_is_compiled) {
  const char* const lines[] = {
      "a.rs --cfg help",           "a.rs --crate-name=help",         "a.rs -Ztime-passes=no",
      "a.rs -Zllvm-time-trace=off", "a.rs -C passes=mem2reg",        "a.rs -o /dev/shm/x",
      "a.rs --out-dir=/dev/shm",   "a.rs --print native-static-libs", "a.rs --print=link-args",
      "a.rs -D all",               "a.rs -o devices/x",              "a.rs --emit link=-x",
  };
  for (const char* line : lines) {
    ParsedInvocation parsed = parse_line(line);
    EXPECT_FALSE(parsed.refused) << line << ": " << parsed.refused.reason();
    EXPECT_EQ(parsed.invocation.purpose, Purpose::compile) << line;
  }
  // A checkout on the file system of /dev/shm is an ordinary one.
  EXPECT_FALSE(parse_line("a.rs --emit=link", "/dev/shm/work").refused);
}

TEST(RustcRefusal, questions_are_probes) {
  const char* const lines[] = {
      "-vV", "-V", "--version --verbose", "--print=cfg", "--print sysroot", "- --print=file-names --crate-name ___",
      "a.rs --print crate-name", "--print native-static-libs --print cfg a.rs", "-V a.rs b.rs", "--print cfg=-",
  };
  for (const char* line : lines) {
    ParsedInvocation parsed = parse_line(line);
    EXPECT_FALSE(parsed.refused) << line << ": " << parsed.refused.reason();
    EXPECT_EQ(parsed.invocation.purpose, Purpose::probe) << line;
    EXPECT_TRUE(parsed.invocation.emits.empty()) << line;
  }
  EXPECT_EQ(parse_line("- --print=cfg").invocation.source, "-");
}

TEST(RustcRefusal, what_runs_something_else_is_never_parsed_as_rustc) {
  CommandLine line{{"/x/my-wrapper", "rustc", "a.rs"}, "/w", Env()};
  for (Recognised::Kind kind : {Recognised::chain, Recognised::driver, Recognised::tool}) {
    EXPECT_EQ(parse_rustc(posix_file_system(), line, kind).refused.refusal, Refusal::unknown_driver);
  }
  EXPECT_EQ(parse_rustc(posix_file_system(), {{}, "/w", Env()}, Recognised::rustc).refused.refusal,
            Refusal::not_a_compile);
}

}  // namespace
}  // namespace kache
