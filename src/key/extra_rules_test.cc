#include "key/extra_rules.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

Config rules() {
  Config config;
  config.extra_dir = "/w";
  config.extra_rules = {{".0", {}, {"all/*"}, false}, {".1", {"db-*"}, {"sql/*"}, true}, {".2", {"app"}, {"all/*", "app/*"}, false}};
  return config;
}

using Patterns = std::vector<std::string>;

TEST(ExtraRules, name_crates_and_those_that_use_them) {
  CommandLine line{{"rustc"}, "/w/app", Env(std::vector<std::string>{"CARGO_MANIFEST_DIR=/w/app"})};
  Invocation unit;
  unit.crate_name = "other";
  EXPECT_EQ(extra_patterns(line, unit, rules()), (Patterns{"all/*"}));
  unit.crate_name = "db_macros";
  EXPECT_EQ(extra_patterns(line, unit, rules()), (Patterns{"all/*", "sql/*"}));
  unit.crate_name = "app";
  EXPECT_EQ(extra_patterns(line, unit, rules()), (Patterns{"all/*", "app/*"}));
  unit.externs = {{"", "renamed", "/w/target/debug/deps/libdb_macros-0123456789abcdef.so"}};
  EXPECT_EQ(extra_patterns(line, unit, rules()), (Patterns{"all/*", "app/*", "sql/*"}));
}

TEST(ExtraRules, are_for_what_lies_below_their_file) {
  Invocation unit;
  unit.crate_name = "serde";
  CommandLine registry{{"rustc"}, "/w", Env(std::vector<std::string>{"CARGO_MANIFEST_DIR=/home/u/.cargo/registry/serde"})};
  EXPECT_EQ(extra_patterns(registry, unit, rules()), Patterns{});
  CommandLine c{{"gcc"}, "/w/src", Env(std::vector<std::string>{})}, elsewhere{{"gcc"}, "/wide", Env(std::vector<std::string>{})};
  EXPECT_EQ(extra_patterns(c, unit, rules()), Patterns{"all/*"});
  EXPECT_EQ(extra_patterns(elsewhere, unit, rules()), Patterns{});
}

}  // namespace
}  // namespace kache
