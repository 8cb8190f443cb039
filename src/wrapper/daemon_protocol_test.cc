#include "wrapper/daemon_protocol.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/frame.h"

namespace kache {
namespace {

RemoteSettings settings() {
  return {{{"cache.remotes", {"redis://user:pass@host:6379/0", "/mnt/cache"}}, {"cache.compression_level", {"5"}}},
          {"AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret", "HOME=/home/me"}};
}

// --- frames ------------------------------------------------------------------------------------------------------------

TEST(DaemonFrameTest, are_taken_one_by_one_however_they_arrive) {
  std::string sent = encode_frame({MessageType::hello, 0, "first"}) + encode_frame({MessageType::fetch, 7, ""}) + encode_frame({MessageType::text, UINT64_MAX, "third"});
  std::string arrived;
  std::vector<std::string> seen;
  for (char c : sent) {
    arrived += c;
    DaemonFrame frame;
    while (take_frame(arrived, frame).value()) seen.push_back(std::to_string(static_cast<int>(frame.type)) + " " + std::to_string(frame.id) + " " + frame.payload);
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"1 0 first", "2 7 ", "68 18446744073709551615 third"}));
  EXPECT_EQ(arrived, "");
}

TEST(DaemonFrameTest, of_an_impossible_size_are_refused_at_once) {
  DaemonFrame frame;
  ByteWriter large;
  large.u32(kMaxDaemonFrame + 1);
  std::string bytes = large.bytes();
  EXPECT_EQ(take_frame(bytes, frame).code(), ErrorCode::too_large);
  for (uint32_t size : {0u, 8u}) {
    ByteWriter small;
    small.u32(size);
    bytes = small.bytes() + "xxxxxxxxxxxx";
    EXPECT_EQ(take_frame(bytes, frame).code(), ErrorCode::corrupt);
  }
  bytes = "GET / HTTP/1.1\r\n";
  EXPECT_FALSE(take_frame(bytes, frame).ok());
}

// --- messages ----------------------------------------------------------------------------------------------------------

TEST(DaemonMessageTest, are_read_as_they_are_written) {
  EXPECT_EQ(decode_settings(encode(settings())).value(), settings());
  EXPECT_EQ(decode_settings(encode(RemoteSettings{})).value(), RemoteSettings{});
  FetchRequest fetch{FetchRequest::record, digest_bytes("key"), 3000, settings(), {"session", "/root", "space"}};
  FetchRequest again = decode_fetch(encode(fetch)).value();
  EXPECT_EQ(again.what, FetchRequest::record);
  EXPECT_EQ(again.key, fetch.key);
  EXPECT_EQ(again.deadline_ms, 3000u);
  EXPECT_EQ(again.settings, settings());
  EXPECT_EQ(again.build.session + again.build.root + again.build.space, "session/rootspace");
  BuildRequest announced = decode_announce(encode(BuildRequest{settings(), {"session", "/root", "space"}})).value();
  EXPECT_EQ(announced.settings, settings());
  EXPECT_EQ(announced.build.session + announced.build.root + announced.build.space, "session/rootspace");
  for (FetchReply::Kind kind : {FetchReply::found, FetchReply::absent, FetchReply::failed, FetchReply::suppressed}) {
    FetchReply reply = decode_fetch_reply(encode(FetchReply{kind, "why"})).value();
    EXPECT_EQ(reply.kind, kind);
    EXPECT_EQ(reply.reason, "why");
  }
  PublishRequest publish = decode_publish(encode(PublishRequest{{digest_bytes("key")}, settings()})).value();
  EXPECT_EQ(publish.key.digest, digest_bytes("key"));
  EXPECT_EQ(publish.settings, settings());
  EXPECT_EQ(decode_stop(encode(StopRequest{77})).value().drain_ms, 77u);
}

TEST(DaemonMessageTest, every_cut_and_every_addition_is_refused) {
  auto refuses = [](const std::string& good, auto decode) {
    for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(decode(good.substr(0, size)).ok()) << size;
    EXPECT_FALSE(decode(good + "x").ok());
    EXPECT_TRUE(decode(good).ok());
  };
  refuses(encode(settings()), decode_settings);
  refuses(encode(FetchRequest{FetchRequest::record, {}, 1, settings(), {"a", "b", "c"}}), decode_fetch);
  refuses(encode(BuildRequest{settings(), {"a", "b", "c"}}), decode_announce);
  refuses(encode(FetchReply{FetchReply::failed, "why"}), decode_fetch_reply);
  refuses(encode(PublishRequest{{}, settings()}), decode_publish);
  refuses(encode(StopRequest{1}), decode_stop);
  refuses(encode_outgoing({{}, 1, settings(), {}, "why"}), decode_outgoing);
}

TEST(DaemonMessageTest, unknown_kinds_are_refused) {
  std::string fetch = encode(FetchRequest{});
  fetch[0] = 2;
  EXPECT_EQ(decode_fetch(fetch).code(), ErrorCode::corrupt);
  std::string reply = encode(FetchReply{});
  reply[0] = 4;
  EXPECT_EQ(decode_fetch_reply(reply).code(), ErrorCode::corrupt);
}

// --- settings ----------------------------------------------------------------------------------------------------------

TEST(RemoteSettingsTest, hold_what_concerns_remotes_and_nothing_else) {
  Config config;
  config.remotes = {"/mnt/cache"};
  config.s3_endpoint = "http://host";
  config.compression_level = 7;
  config.sign_with = "/keys/mine";
  Env env(std::vector<std::string>{"PATH=/bin", "HOME=/home/me", "AWS_PROFILE=ci", "KACHE_S3_SECRET_KEY=s", "GITHUB_TOKEN=t", "EDITOR=vi"});
  RemoteSettings made = remote_settings(config, env);
  EXPECT_EQ(made.env, (std::vector<std::string>{"AWS_PROFILE=ci", "HOME=/home/me", "KACHE_S3_SECRET_KEY=s", "PATH=/bin"}));
  Config again = config_of(made);
  EXPECT_EQ(again.remotes, config.remotes);
  EXPECT_EQ(again.s3_endpoint, "http://host");
  EXPECT_EQ(again.compression_level, 7u);
  EXPECT_EQ(again.sign_with, "/keys/mine");
  EXPECT_TRUE(remote_settings(Config{}, Env(std::vector<std::string>{})).options.empty());
}

TEST(RemoteSettingsTest, foreign_options_in_a_message_change_nothing) {
  RemoteSettings odd{{{"cache.local_store", {"/etc"}}, {"no.such.key", {"x"}}, {"cache.compression_level", {"1", "2"}}, {"cache.remotes", {"/mnt"}}}, {}};
  Config config = config_of(odd);
  EXPECT_EQ(config.remotes, (std::vector<std::string>{"/mnt"}));
  EXPECT_EQ(config.compression_level, Config{}.compression_level);
  EXPECT_EQ(remote_settings(config, Env(std::vector<std::string>{})).options.size(), 1u);
}

TEST(RemoteSettingsTest, no_secret_lies_on_the_disk) {
  RemoteSettings secret = settings();
  secret.env.insert(secret.env.end(), {"AWS_SESSION_TOKEN=secret", "KACHE_REMOTE_TOKEN=secret", "AWS_WEB_IDENTITY_TOKEN_FILE=/run/token", "AWS_REGION=eu"});
  secret.options.push_back({"remote.x", {"https://user:pass@host/a@b?x=1"}});
  RemoteSettings open = without_secrets(secret);
  std::string written = encode_outgoing({{digest_bytes("key")}, 1, open, fingerprint(secret)});
  EXPECT_EQ(written.find("secret"), std::string::npos);
  EXPECT_EQ(written.find("pass"), std::string::npos);
  EXPECT_EQ(open.options[0].second, (std::vector<std::string>{"redis://host:6379/0", "/mnt/cache"}));
  EXPECT_EQ(open.options.back().second, (std::vector<std::string>{"https://host/a@b?x=1"}));
  EXPECT_NE(std::find(open.env.begin(), open.env.end(), "AWS_WEB_IDENTITY_TOKEN_FILE=/run/token"), open.env.end());
  EXPECT_NE(fingerprint(open), fingerprint(secret));
}

TEST(RemoteSettingsTest, a_fingerprint_is_of_all_of_it) {
  RemoteSettings one = settings(), two = settings();
  EXPECT_EQ(fingerprint(one), fingerprint(two));
  two.env[1] = "AWS_SECRET_ACCESS_KEY=another";
  EXPECT_NE(fingerprint(one), fingerprint(two));
  two = settings();
  two.options[0].second = {"redis://user:pass@host:6379/0/mnt/cache"};
  EXPECT_NE(fingerprint(one), fingerprint(two));
}

TEST(OutgoingTest, is_read_as_it_is_written) {
  Outgoing again = decode_outgoing(encode_outgoing({{digest_bytes("key")}, 77, settings(), digest_bytes("secrets"), "why"})).value();
  EXPECT_EQ(again.key.digest, digest_bytes("key"));
  EXPECT_EQ(again.created_ns, 77);
  EXPECT_EQ(again.settings, settings());
  EXPECT_EQ(again.with_secrets, digest_bytes("secrets"));
  EXPECT_EQ(again.failure, "why");
  EXPECT_EQ(decode_outgoing("garbage").code(), ErrorCode::corrupt);
  EXPECT_EQ(decode_outgoing(seal_frame("KOUTBX02", "x")).code(), ErrorCode::corrupt);
}

}  // namespace
}  // namespace kache
