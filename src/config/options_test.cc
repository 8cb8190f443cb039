#include "config/options.h"

#include <set>

#include <gtest/gtest.h>

namespace kache {
namespace {

TEST(Options, sizes) {
  EXPECT_EQ(parse_size("4096").value(), 4096u);
  EXPECT_EQ(parse_size("50GiB").value(), uint64_t{50} << 30);
  EXPECT_EQ(parse_size("1.5 g").value(), 1'500'000'000u);
  EXPECT_EQ(parse_size("1.5PiB").value(), uint64_t{3} << 49);
  EXPECT_EQ(parse_size("1.5 EiB").value(), uint64_t{3} << 59);
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
  for (const char* key : {"cache.s3_pool_idle_secs", "cache.windows_hardlink", "daemon.anything"}) EXPECT_TRUE(is_foreign_key(key)) << key;
  EXPECT_FALSE(is_foreign_key("cache.remotes"));
  EXPECT_FALSE(is_foreign_key("cache.ignore_env"));
  EXPECT_EQ(nearest_key("cache.remote.bukcet"), "cache.remote.bucket");
}

TEST(Options, keys_variables_and_help_are_there_once) {
  std::set<std::string_view> names;
  auto check = [&](const Option* table, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      for (std::string_view name : {table[i].key, table[i].variable}) {
        EXPECT_TRUE(name.empty() || names.insert(name).second) << name;
      }
      EXPECT_FALSE(table[i].help.empty()) << table[i].name();
      EXPECT_TRUE(table[i].key.empty() || find_option(table[i].key) == &table[i]);
    }
  };
  check(options(), option_count());
  check(known_options(), known_option_count());
}

TEST(Options, what_an_option_says_sets_it_to_the_same_again) {
  Env env(std::vector<std::string>{"HOME=/h"});
  const std::pair<const char*, const char*> rows[] = {
      {"cache.local_max_size", "1.5GiB"}, {"cache.gc_max_age_hours", "2w"}, {"cache.heartbeat_secs", "2m"}, {"cache.auto_gc", "off"},
      {"cache.min_store_compile_ms", "1.5s"}, {"cc.prefix_map", "all"}, {"cache.key_salt", "a b"}, {"cache.exclude", "/a,/b"},
      {"cache.remote.verify", "5%"}, {"cc.extra_allowlist_flags", "-Wl,-z -O2"}, {"cache.fallback", "sccache --x"}, {"cache.local_store", "~/c"}};
  for (const auto& [key, text] : rows) {
    const Option& option = *find_option(key);
    Config once, again;
    ASSERT_TRUE(set_option(option, text, env, once).ok()) << key;
    OptionValue value = option_value(option, once);
    EXPECT_NE(value, option_value(option, Config{})) << key;
    bool is_list = std::holds_alternative<std::vector<std::string> Config::*>(option.member);
    Status set = is_list ? set_option_list(option, value, env, again) : set_option(option, value.at(0), env, again);
    EXPECT_TRUE(set.ok()) << key;
    EXPECT_EQ(option_value(option, again), value) << key;
  }
  Config config;
  (void)set_option(*find_option("cache.gc_max_age_hours"), "90m", env, config);
  EXPECT_EQ(config.gc_max_age_hours, 2u);  // not less than was asked for
}

TEST(Options, what_nothing_uses_is_checked_all_the_same) {
  Env env(std::vector<std::string>{});
  Config config;
  EXPECT_FALSE(set_option(*find_option("cache.windows_hardlink"), "perhaps", env, config).ok());
  EXPECT_FALSE(set_option(*find_option("cache.s3_pool_idle_secs"), "long", env, config).ok());
  EXPECT_TRUE(set_option(*find_option("cache.s3_pool_idle_secs"), "5", env, config).ok());
  EXPECT_TRUE(option_value(*find_option("cache.s3_pool_idle_secs"), config).empty());
}

// The environment is searched for variables that begin so.
TEST(Options, every_variable_begins_with_the_name_of_the_program) {
  for (size_t i = 0; i < option_count(); ++i) {
    EXPECT_TRUE(options()[i].variable.empty() || options()[i].variable.starts_with("KACHE_")) << options()[i].variable;
  }
}

TEST(Options, variables_in_patterns) {
  Env env(std::vector<std::string>{"HOME=/h", "A=one", "EMPTY="});
  EXPECT_EQ(expand_variables("$A/${A}x/$EMPTY-$B$", env), "one/onex/-$");
  EXPECT_EQ(expand_variables("$CARGO_HOME/registry/${A", env), "/h/.cargo/registry/${A");
}

}  // namespace
}  // namespace kache
