#include "config/options.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

TEST(Options, sizes) {
  EXPECT_EQ(parse_size("4096").value(), 4096u);
  EXPECT_EQ(parse_size("50GiB").value(), uint64_t{50} << 30);
  EXPECT_EQ(parse_size("1.5 g").value(), 1'500'000'000u);
  EXPECT_EQ(parse_size("10kB").value(), 10'000u);
  for (const char* bad : {"", "GiB", "5 apples", "-1", "99999999999999999999", "999999999999 TiB"}) {
    EXPECT_FALSE(parse_size(bad).ok()) << bad;
  }
}

TEST(Options, booleans_are_words_that_mean_something) {
  for (const char* on : {"1", "true", "YES", "on"}) EXPECT_TRUE(parse_bool(on).value()) << on;
  for (const char* off : {"0", "false", "No", "off", ""}) EXPECT_FALSE(parse_bool(off).value()) << off;
  EXPECT_FALSE(parse_bool("maybe").ok());
}

TEST(Options, environment_wins_and_bad_values_leave_the_default) {
  Env env(std::vector<std::string>{"HOME=/home/u", "KACHE_MAX_SIZE=7GiB", "KACHE_AUTO_GC=perhaps",
                                   "KACHE_KEY_ENV_VARS=A, B*", "KACHE_FALLBACK=off"});
  Config config = load_config(posix_file_system(), env, "/nonexistent", "", "/nonexistent/tool");
  EXPECT_EQ(config.cache_dir, "/home/u/.cache/kache");
  EXPECT_EQ(config.local_max_size, uint64_t{7} << 30);
  EXPECT_TRUE(config.auto_gc);
  ASSERT_EQ(config.problems.size(), 1u);
  EXPECT_NE(config.problems[0].find("KACHE_AUTO_GC"), std::string::npos);
  EXPECT_EQ(config.key_env_vars, (std::vector<std::string>{"A", "B*"}));
  EXPECT_TRUE(config.fallback.empty());
}

TEST(Options, a_value_of_another_shape_is_an_error_for_each_option) {
  for (size_t i = 0; i < option_count(); ++i) {
    const Option& option = options()[i];
    Config config;
    bool is_list = std::holds_alternative<std::vector<std::string> Config::*>(option.member);
    EXPECT_EQ(set_option_list(option, {"/a", "/b"}, Env(std::vector<std::string>{}), config).ok(), is_list) << option.key;
    (void)set_option(option, "1", Env(std::vector<std::string>{}), config);
    (void)set_option(option, "", Env(std::vector<std::string>{}), config);
  }
}

TEST(Options, misspelled_keys_have_a_neighbour_and_foreign_ones_are_known) {
  EXPECT_EQ(nearest_key("cache.local_max_sise"), "cache.local_max_size");
  EXPECT_EQ(nearest_key("cache.localstore"), "cache.local_store");
  EXPECT_EQ(nearest_key("something.else"), "");
  for (const char* key : {"cache.remote.bucket", "cache.ignore_env", "remote.bucket"}) EXPECT_TRUE(is_foreign_key(key)) << key;
  EXPECT_FALSE(is_foreign_key("cache.remotes"));
}

TEST(Options, variables_in_patterns) {
  Env env(std::vector<std::string>{"HOME=/h", "A=one", "EMPTY="});
  EXPECT_EQ(expand_variables("$A/${A}x/$EMPTY-$B$", env), "one/onex/-$");
  EXPECT_EQ(expand_variables("$CARGO_HOME/registry/${A", env), "/h/.cargo/registry/${A");
}

}  // namespace
}  // namespace kache
