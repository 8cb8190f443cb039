// What the HTTP engine asks for. That real servers take it is shown in tests/remote.
#include "remote/http_remote.h"

#include <gtest/gtest.h>

#include "tests/support/fake_http.h"

namespace kache {
namespace {

const ObjectName kBlob = ObjectName::blob({digest_bytes("x")});

class HttpRemoteTest : public ::testing::Test {
 protected:
  std::unique_ptr<Remote> open(const std::string& url) { return std::move(*make_http_remote(*parse_remote_url(url), env, http)); }
  std::string asked() const {
    std::string text;
    for (const FakeHttp::Asked& one : http.requests) text += one.method + " " + one.url.substr(0, one.url.find(kBlob.digest().hex())) + "\n";
    return text;
  }
  FakeHttp http;
  Env env;
};

TEST_F(HttpRemoteTest, MissingCollectionsAreMadeFromTheDeepestUp) {
  std::string folder = "http://h/a%20b/k1/blobs/" + kBlob.digest().hex().substr(0, 2) + "/";
  int puts = 0;
  bool has_blobs = false;
  http.answer_with = [&](const FakeHttp::Asked& one) -> FakeHttp::Answer {
    if (one.method == "PUT") return {puts++ == 0 ? 409 : 201, "", {}};
    if (one.url.ends_with("/blobs/")) has_blobs = true;
    return {one.url == folder && !has_blobs ? 409 : 201, "", {}};
  };
  EXPECT_TRUE(put_bytes(*open("http://h/a%20b"), kBlob, "x", {}, {}).ok());
  EXPECT_EQ(asked(), "PUT " + folder + "\nMKCOL " + folder + "\nMKCOL http://h/a%20b/k1/blobs/\nMKCOL " + folder + "\nPUT " + folder + "\n");
}

TEST_F(HttpRemoteTest, AServerThatMakesNoneKeepsItsFirstAnswer) {
  http.answer_with = [](const FakeHttp::Asked& one) { return FakeHttp::Answer{one.method == "PUT" ? 500 : 501, "", {}}; };
  Status put = put_bytes(*open("http://h/a"), kBlob, "x", {}, {});
  ASSERT_FALSE(put.ok());
  EXPECT_EQ(put.error().message, "http://h/a: status 500; the server's log says why");
  EXPECT_EQ(http.requests.size(), 2u);

  http.requests.clear();
  http.answer_with = [](const FakeHttp::Asked&) { return FakeHttp::Answer{404, "", {}}; };
  EXPECT_EQ(put_bytes(*open("http://h/a"), kBlob, "x", {}, {}).code(), ErrorCode::not_found);
  EXPECT_EQ(http.requests.size(), 5u) << "up to the place itself, and no further";
}

TEST_F(HttpRemoteTest, ConditionsAndConflicts) {
  auto remote = open("http://h/a");
  http.answer_with = [](const FakeHttp::Asked&) { return FakeHttp::Answer{412, "", {}}; };
  EXPECT_EQ(put_bytes(*remote, kBlob, "x", if_absent(), {}).code(), ErrorCode::exists);
  EXPECT_TRUE(http.requests.back().has("If-None-Match: *"));
  EXPECT_EQ(put_bytes(*remote, kBlob, "x", {PutCondition::if_version, "\"v\""}, {}).code(), ErrorCode::exists);
  EXPECT_TRUE(http.requests.back().has("If-Match: \"v\""));
  EXPECT_EQ(put_bytes(*remote, kBlob, "x", {}, {}).code(), ErrorCode::corrupt);
}

TEST_F(HttpRemoteTest, LayoutOfBazel) {
  std::string digits = digest_bytes(kBlob.text()).hex();
  http.answer_with = [](const FakeHttp::Asked&) { return FakeHttp::Answer{200, "", {}}; };
  EXPECT_TRUE(put_bytes(*open("https://h/instance?layout=bazel"), kBlob, "x", {}, {}).ok());
  EXPECT_EQ(http.requests.back().url, "https://h/instance/ac/" + digits);
}

TEST_F(HttpRemoteTest, HowItLogsIn) {
  (void)open("http://user:p%40ss@h/a")->has(kBlob, {});
  EXPECT_EQ(http.requests.back().user + " " + http.requests.back().password, "user p@ss");
  env.set("T", "secret");
  (void)open("http://h/a?token_env=T")->has(kBlob, {});
  EXPECT_TRUE(http.requests.back().has("Authorization: Bearer secret"));

  auto error_of = [&](const char* url) { return make_http_remote(*parse_remote_url(url), env, http).error().message; };
  EXPECT_EQ(error_of("http://h/a?token_env=U"), "http://h/a: token_env names U, which is not set");
  EXPECT_EQ(error_of("http://u:pw@h/a?token_env=T"), "http://h/a: token_env and a login in the URL; only one of them can be sent");
  EXPECT_EQ(error_of("http://h/a?layout=x"), "http://h/a: layout=x; expected plain or bazel");
  env.set("T", "a\nHost: b");
  EXPECT_EQ(error_of("http://h/a?token_env=T"), "http://h/a: the token in T has more than one line");
}

TEST_F(HttpRemoteTest, AnAnswerThatIsLongerThanItSays) {
  http.answer_with = [](const FakeHttp::Asked&) { return FakeHttp::Answer{200, "abcde", {{"content-length", "4"}, {"etag", "\"v\""}}}; };
  StringSink sink;
  EXPECT_EQ(open("http://h/a")->get(kBlob, sink, {}).code(), ErrorCode::io);
  http.answer_with = [](const FakeHttp::Asked&) { return FakeHttp::Answer{200, "abcd", {{"content-length", "4"}, {"etag", "\"v\""}}}; };
  EXPECT_EQ(*open("http://h/a")->get(kBlob, sink, {}), "\"v\"");
}

}  // namespace
}  // namespace kache
