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
  EXPECT_NE(config.problem.find("KACHE_AUTO_GC"), std::string::npos);
  EXPECT_EQ(config.key_env_vars, (std::vector<std::string>{"A", "B*"}));
  EXPECT_TRUE(config.fallback.empty());
}

}  // namespace
}  // namespace kache
