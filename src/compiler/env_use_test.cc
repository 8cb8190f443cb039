#include "compiler/env_use.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

void expect(const char* source, size_t includes, size_t values) {
  EnvUses uses = find_env_uses(source, "OUT_DIR");
  EXPECT_EQ(uses.includes, includes) << source;
  EXPECT_EQ(uses.values, values) << source;
}

TEST(EnvUse, an_include_leaves_nothing_of_the_variable) {
  expect(R"(include!(concat!(env!("OUT_DIR"), "/made.rs"));)", 1, 0);
  expect("include_bytes! (\n  concat! (\n\tenv ! ( \"OUT_DIR\" ) , \"/x\"))", 1, 0);
  expect(R"(const T: &str = include_str!(env!("OUT_DIR"));)", 1, 0);
  expect(R"(pub mod a { include!(concat!(env!("OUT_DIR"), "/a.rs")); } pub mod b { include!(concat!(env!("OUT_DIR"), "/b.rs")); })", 2, 0);
}

TEST(EnvUse, everything_else_is_a_value) {
  expect(R"(const N: usize = env!("OUT_DIR").len();)", 0, 1);
  expect(R"(const P: &str = concat!(env!("OUT_DIR"), "/x");)", 0, 1);
  expect(R"(option_env!("OUT_DIR"))", 0, 1);
  expect(R"(std::env::var("OUT_DIR"))", 0, 1);
  expect(R"(my_include!(env!("OUT_DIR")))", 0, 1);
  expect(R"(include!(concat!("/", env!("OUT_DIR"))))", 0, 1);
  expect(R"(include!(concat!(env!("OUT_DIR"), "/a.rs")); const D: &str = env!("OUT_DIR");)", 1, 1);
}

TEST(EnvUse, other_names_and_line_comments_are_no_uses) {
  expect(R"(env!("MY_OUT_DIR"), env!("OUT_DIRS"), OUT_DIR)", 0, 0);
  expect("/// env!(\"OUT_DIR\")\n// env!(\"OUT_DIR\")\n", 0, 0);
  expect("", 0, 0);
}

}  // namespace
}  // namespace kache
