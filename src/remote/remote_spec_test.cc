#include "remote/remote_spec.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

TEST(RemoteSpecTest, every_kind_of_url_is_read) {
  struct Row {
    const char* url;
    Engine engine;
    const char *place, *prefix, *description;
  };
  for (const Row& row : {
           Row{"/mnt/cache", Engine::directory, "/mnt/cache", "", "directory /mnt/cache"},
           Row{"/mnt//cache/./x/", Engine::directory, "/mnt/cache/x", "", "directory /mnt/cache/x"},
           Row{"file:///mnt/a%20b", Engine::directory, "/mnt/a b", "", "directory /mnt/a b"},
           Row{"s3://bucket", Engine::s3, "bucket", "", "s3://bucket"},
           Row{"s3://bucket//a//b/?endpoint=http://127.0.0.1:7480&region=x", Engine::s3, "bucket", "a/b", "s3://bucket/a/b at http://127.0.0.1:7480"},
           Row{"http://host:8080/a/b/", Engine::http, "http://host:8080", "a/b", "http://host:8080/a/b"},
           Row{"https://user:pass@host/a", Engine::http, "https://host", "a", "https://host/a"},
           Row{"redis://host", Engine::redis, "host", "", "redis://host"},
           Row{"redis://:secret@host:6380/2?prefix=/x/&ttl=7d", Engine::redis, "host", "x", "redis://host:6380/x"},
           Row{"rediss://host", Engine::redis, "host", "", "redis://host"},
           Row{"redis://[::1]:6379", Engine::redis, "::1", "", "redis://::1:6379"},
           Row{"redis+unix:///run/redis.sock", Engine::redis, "/run/redis.sock", "", "redis at /run/redis.sock"},
       }) {
    Result<RemoteSpec> spec = parse_remote_url(row.url);
    ASSERT_TRUE(spec.ok()) << row.url << ": " << spec.error().message;
    EXPECT_EQ(spec->engine, row.engine) << row.url;
    EXPECT_EQ(spec->place, row.place) << row.url;
    EXPECT_EQ(spec->prefix, row.prefix) << row.url;
    EXPECT_EQ(spec->description(), row.description) << row.url;
    EXPECT_TRUE(spec->reads && spec->writes) << row.url;
  }
}

TEST(RemoteSpecTest, logins_ports_and_options_are_taken_apart) {
  RemoteSpec redis = parse_remote_url("redis://me:p%40ss%3A@host:6380/2?ttl=7d").value();
  EXPECT_EQ(redis.user, "me");
  EXPECT_EQ(redis.password, "p@ss:");
  EXPECT_EQ(redis.port, 6380);
  EXPECT_EQ(redis.option("database"), "2");
  EXPECT_EQ(redis.option("ttl"), "7d");
  EXPECT_EQ(redis.option("tls"), "");
  EXPECT_EQ(parse_remote_url("rediss://host")->option("tls"), "1");
  EXPECT_EQ(redis.description().find("p@ss"), std::string::npos);
}

TEST(RemoteSpecTest, a_mode_says_what_is_done_with_it) {
  EXPECT_FALSE(parse_remote_url("s3://b?mode=read")->writes);
  EXPECT_TRUE(parse_remote_url("s3://b?mode=read")->reads);
  EXPECT_FALSE(parse_remote_url("file:///c?mode=write")->reads);
  EXPECT_TRUE(parse_remote_url("file:///c?mode=read-write")->reads);
}

TEST(RemoteSpecTest, what_is_wrong_is_named) {
  struct Row {
    const char *url, *message;
  };
  for (const Row& row : {
           Row{"", "expected a path, or a URL of s3, http, https, redis, rediss, redis+unix or file"},
           Row{"relative/path", "expected a path, or a URL of s3, http, https, redis, rediss, redis+unix or file"},
           Row{"ftp://host", "expected a path, or a URL of s3, http, https, redis, rediss, redis+unix or file"},
           Row{"S3://bucket", "expected a path, or a URL of s3, http, https, redis, rediss, redis+unix or file"},
           Row{"file://relative", "expected an absolute path behind file://"},
           Row{"s3://", "no host"},
           Row{"http:///x", "no host"},
           Row{"s3://b?mode=append", "mode=append; expected read, write or read-write"},
           Row{"s3://b?colour=red", "unknown setting colour in the query"},
           Row{"http://h?region=x", "unknown setting region in the query"},
           Row{"s3://b?style=flat", "style=flat; expected path or virtual"},
           Row{"s3://b#x", "a # in the URL"},
           Row{"s3://b/a/../b", "prefix with .."},
           Row{"s3://b/a%5Cb", "prefix with a\\b"},
           Row{"s3://b/a%0ab", "prefix with a control character"},
           Row{"s3://b/a%2", "a % that is not followed by two hexadecimal digits"},
           Row{"s3://b/a%00", "a % that is not followed by two hexadecimal digits"},
           Row{"redis://h:0", "port 0"},
           Row{"redis://h:99999", "port 99999"},
           Row{"redis://h:6379x", "port 6379x"},
           Row{"redis://h/x", "expected the number of a database behind the host"},
       }) {
    Result<RemoteSpec> spec = parse_remote_url(row.url);
    ASSERT_FALSE(spec.ok()) << row.url;
    EXPECT_EQ(spec.code(), ErrorCode::invalid);
    EXPECT_EQ(spec.error().message, row.message) << row.url;
  }
}

TEST(RemoteSpecTest, prefixes_are_made_plain) {
  EXPECT_EQ(normalise_prefix("").value(), "");
  EXPECT_EQ(normalise_prefix("///").value(), "");
  EXPECT_EQ(normalise_prefix("//a///b//").value(), "a/b");
  EXPECT_EQ(normalise_prefix("a.b/..c").value(), "a.b/..c");
  for (const char* bad : {".", "a/..", "../a", "a\\b", "a/./b", "a\tb"}) EXPECT_EQ(normalise_prefix(bad).code(), ErrorCode::invalid) << bad;
}

}  // namespace
}  // namespace kache
