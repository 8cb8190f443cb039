#include "remote/setup.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "tests/support/manual_clock.h"

namespace kache {
namespace {

Config of(const std::function<void(Config&)>& set) {
  Config config;
  set(config);
  return config;
}

Result<std::shared_ptr<RemoteSetup>> set_up(const Config& config) {
  static ManualClock clock;
  return set_up_remotes(config, Env(std::vector<std::string>{}), clock, "");
}

TEST(SetupTest, a_table_of_the_rust_program_is_one_remote) {
  Config s3 = of([](Config& config) {
    config.s3_bucket = "bucket";
    config.s3_endpoint = "http://127.0.0.1:7480";
    config.s3_region = "eu";
    config.s3_profile = "ci";
  });
  RemoteSpec spec = resolve_remotes(s3).value().at(0);
  EXPECT_EQ(spec.engine, Engine::s3);
  EXPECT_EQ(spec.place, "bucket");
  EXPECT_EQ(spec.prefix, "artifacts");
  EXPECT_EQ(spec.option("endpoint"), "http://127.0.0.1:7480");
  EXPECT_EQ(spec.option("region"), "eu");
  EXPECT_EQ(spec.option("profile"), "ci");
  s3.s3_prefix = "/a//b/";
  EXPECT_EQ(resolve_remotes(s3).value().at(0).prefix, "a/b");
  for (const char* type : {"", "filesystem", "FileSystem", "fs", "FS"}) {
    RemoteSpec directory = resolve_remotes(of([&](Config& config) {
                             config.remote_type = type;
                             config.remote_path = "/mnt//cache/";
                             config.remote_write_dir = "/mnt/staging";
                           })).value().at(0);
    EXPECT_EQ(directory.engine, Engine::directory);
    EXPECT_EQ(directory.place, "/mnt/cache");
    EXPECT_EQ(directory.option("atomic_write_dir"), "/mnt/staging");
    EXPECT_EQ(directory.prefix, "");
  }
}

TEST(SetupTest, what_is_wrong_with_a_table_is_said) {
  struct Row {
    std::function<void(Config&)> set;
    const char* message;
  };
  for (const Row& row : {
           Row{[](Config& c) { c.remote_type = "gcs", c.s3_bucket = "b"; }, "cache.remote.type: expected s3 or filesystem; other engines are URLs in cache.remotes"},
           Row{[](Config& c) { c.remote_type = "gcs"; }, "cache.remote.type: expected s3 or filesystem; other engines are URLs in cache.remotes"},
           Row{[](Config& c) { c.s3_bucket = "b", c.remote_path = "/c"; }, "cache.remote: a bucket and a path; keep one, or list both in cache.remotes"},
           Row{[](Config& c) { c.remote_type = "s3", c.remote_path = "/c"; }, "cache.remote.bucket: not set"},
           Row{[](Config& c) { c.remote_type = "s3"; }, "cache.remote.bucket: not set"},
           Row{[](Config& c) { c.s3_endpoint = "http://h"; }, "cache.remote.bucket: not set"},
           Row{[](Config& c) { c.remote_type = "fs"; }, "cache.remote.path: not set"},
           Row{[](Config& c) { c.remote_type = "fs", c.s3_bucket = "b"; }, "cache.remote.path: not set"},
           Row{[](Config& c) { c.remote_write_dir = "/x"; }, "cache.remote.path: not set"},
           Row{[](Config& c) { c.remote_path = "relative"; }, "cache.remote.path: expected an absolute path"},
           Row{[](Config& c) { c.s3_bucket = "b", c.s3_prefix = "a/../b"; }, "cache.remote.prefix: prefix with .."},
           Row{[](Config& c) { c.s3_bucket = "b", c.s3_prefix = "a\\b"; }, "cache.remote.prefix: prefix with a\\b"},
       }) {
    Result<std::vector<RemoteSpec>> specs = resolve_remotes(of(row.set));
    ASSERT_FALSE(specs.ok()) << row.message;
    EXPECT_EQ(specs.code(), ErrorCode::invalid);
    EXPECT_EQ(specs.error().message, row.message);
  }
}

TEST(SetupTest, a_url_is_named_by_its_number_and_not_shown) {
  Result<std::vector<RemoteSpec>> specs = resolve_remotes(of([](Config& config) { config.remotes = {"/mnt/cache", "redis://user:secret@host:0"}; }));
  EXPECT_EQ(specs.error().message, "cache.remotes, number 2: port 0");
}

TEST(SetupTest, remotes_stand_in_their_order_the_table_last) {
  Config config = of([](Config& c) { c.remotes = {"/near", "s3://far"}, c.remote_path = "/table"; });
  std::vector<RemoteSpec> specs = resolve_remotes(config).value();
  ASSERT_EQ(specs.size(), 3u);
  EXPECT_EQ(specs[0].place, "/near");
  EXPECT_EQ(specs[2].place, "/table");
  config.remote_readonly = true;
  specs = resolve_remotes(config).value();
  for (const RemoteSpec& spec : specs) EXPECT_TRUE(spec.reads && !spec.writes);
  config.local_only = true;
  EXPECT_TRUE(resolve_remotes(config).value().empty());
  EXPECT_TRUE(resolve_remotes({}).value().empty());
}

TEST(SetupTest, nothing_of_it_is_used_where_something_is_wrong) {
  EXPECT_EQ(set_up({}).error().message, "no remote is configured");
  EXPECT_EQ(set_up(of([](Config& c) { c.remotes = {"/mnt/cache", "ftp://x"}; })).code(), ErrorCode::invalid);
  Config config = of([](Config& c) { c.remotes = {"/mnt/cache"}; });
  config.trusted_keys = {"ssh-ed25519 AAAA"};
  EXPECT_EQ(set_up(config).error().message, "remote.trusted_keys: expected a key as `kache keys` shows it, kache-ed25519:…");
  config.trusted_keys.clear();
  config.sign_with = "/nowhere/key";
  Result<std::shared_ptr<RemoteSetup>> unsigned_setup = set_up(config);
  ASSERT_FALSE(unsigned_setup.ok());
  EXPECT_TRUE(unsigned_setup.error().message.starts_with("remote.sign_with: ")) << unsigned_setup.error().message;
}

TEST(SetupTest, trust_and_rights_follow_the_settings) {
  Config config;
  config.remotes = {"file:///mnt/cache?mode=read"};
  std::shared_ptr<RemoteSetup> setup = set_up(config).value();
  EXPECT_TRUE(setup->can_read);
  EXPECT_FALSE(setup->can_write);
  EXPECT_FALSE(setup->exchange.trust.requires_signature);
  EXPECT_EQ(setup->description, "directory /mnt/cache");
  SigningKey friendly = SigningKey::generate(), own = SigningKey::generate();
  char path[] = "/tmp/kache-key-XXXXXX";
  ::close(::mkstemp(path));
  std::ofstream(path) << own.text("me");
  config.remotes = {"/mnt/cache", "file:///mnt/far?mode=write"};
  config.trusted_keys = {friendly.public_key().text()};
  config.sign_with = path;
  setup = set_up(config).value();
  ::unlink(path);
  EXPECT_TRUE(setup->can_read && setup->can_write);
  EXPECT_TRUE(setup->exchange.trust.requires_signature);
  EXPECT_TRUE(setup->exchange.trust.knows(friendly.public_key()));
  EXPECT_TRUE(setup->exchange.trust.knows(own.public_key()));
  ASSERT_NE(setup->exchange.signer, nullptr);
  EXPECT_EQ(setup->exchange.signer->public_key(), own.public_key());
  EXPECT_EQ(setup->description, "directory /mnt/cache, directory /mnt/far");
  config.compression_level = 99;
  config.sign_with = "";
  EXPECT_EQ(set_up(config).value()->exchange.level, 22);
}

}  // namespace
}  // namespace kache
