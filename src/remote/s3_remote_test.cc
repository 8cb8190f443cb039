// What the S3 engine asks for and what it makes of answers. That real servers take it is shown in tests/remote.
#include "remote/s3_remote.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "remote/aws_sign.h"
#include "tests/support/fake_http.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace kache {
namespace {

const ObjectName kName = ObjectName::control("x");

class S3RemoteTest : public ::testing::Test {
 protected:
  S3RemoteTest() {
    env.set("KACHE_S3_ACCESS_KEY", "AK");
    env.set("KACHE_S3_SECRET_KEY", "SK");
  }
  Result<std::unique_ptr<Remote>> open(const std::string& url) {
    Result<RemoteSpec> spec = parse_remote_url(url);
    if (!spec.ok()) return spec.error();
    return make_s3_remote(*spec, env, {http, files, clock, nullptr});
  }
  // The URL of a GET of kName, or the error of opening.
  std::string asked_at(const std::string& url) {
    Result<std::unique_ptr<Remote>> remote = open(url);
    if (!remote.ok()) return remote.error().message;
    StringSink sink;
    (void)(*remote)->get(kName, sink, {});
    region = http.requests.back().region;
    return http.requests.back().url;
  }
  FakeHttp::Answer refusal(int status, const std::string& code) { return {status, "<Error><Code>" + code + "</Code><Message>m</Message><Region>eu-west-1</Region></Error>", {}}; }

  ManualClock clock;
  MemFileSystem files{clock};
  FakeHttp http;
  Env env;
  std::string region;
};

TEST_F(S3RemoteTest, WhereABucketIs) {
  EXPECT_EQ(asked_at("s3://bucket/a/b"), "https://bucket.s3.us-east-1.amazonaws.com/a/b/k1/control/x");
  EXPECT_EQ(asked_at("s3://bucket?style=path"), "https://s3.us-east-1.amazonaws.com/bucket/k1/control/x");
  EXPECT_EQ(asked_at("s3://with.dots"), "https://s3.us-east-1.amazonaws.com/with.dots/k1/control/x") << "no certificate fits bucket.with.dots";
  EXPECT_EQ(asked_at("s3://bucket/%C3%A4%20b?endpoint=http://h:1/&region=r"), "http://h:1/bucket/%C3%A4%20b/k1/control/x");
  EXPECT_EQ(region, "r");
  EXPECT_EQ(asked_at("s3://bucket?endpoint=https://h&style=virtual"), "https://bucket.h/k1/control/x");
  EXPECT_EQ(asked_at("s3://bucket?endpoint=h:9000"), "https://h:9000/bucket/k1/control/x");
  env.set("AWS_REGION", "eu-west-1");
  EXPECT_EQ(asked_at("s3://bucket"), "https://bucket.s3.eu-west-1.amazonaws.com/k1/control/x");
  EXPECT_EQ(region, "eu-west-1");
  env.set("AWS_ENDPOINT_URL", "http://other");
  EXPECT_EQ(asked_at("s3://bucket"), "http://other/bucket/k1/control/x");
  EXPECT_EQ(region, "us-east-1") << "AWS's region says nothing about another server";
  env.set("AWS_ENDPOINT_URL_S3", "http://third");
  EXPECT_EQ(asked_at("s3://bucket"), "http://third/bucket/k1/control/x");
  EXPECT_EQ(asked_at("s3://bucket?endpoint=http://first"), "http://first/bucket/k1/control/x");
}

TEST_F(S3RemoteTest, SettingsThatCanNotWork) {
  for (const char* url : {"s3://a", "s3://b%2Fc", "s3://a..b", "s3://-ab", "s3://bucket?endpoint=ftp://h", "s3://bucket?endpoint=http://", "s3://bucket?endpoint=http://h/p&style=virtual",
                          "s3://bucket?endpoint=http://user:pw@h", "s3://bucket?endpoint=http://h%3Fx", "s3://bucket?region=a/b"}) {
    Result<std::unique_ptr<Remote>> remote = open(url);
    ASSERT_FALSE(remote.ok()) << url;
    EXPECT_EQ(remote.code(), ErrorCode::invalid) << url;
  }
}

TEST_F(S3RemoteTest, TheBodyIsHashedWhereTheLineDoesNotProtectIt) {
  http.answer_with = [](const FakeHttp::Asked&) { return FakeHttp::Answer{200, "", {}}; };
  ASSERT_TRUE(put_bytes(**open("s3://bucket?endpoint=http://h"), kName, "abc", {}, {}).ok());
  EXPECT_TRUE(http.requests.back().has("x-amz-content-sha256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  EXPECT_EQ(http.requests.back().body, "abc");
  ASSERT_TRUE(put_bytes(**open("s3://bucket"), kName, "abc", {}, {}).ok());
  EXPECT_TRUE(http.requests.back().has("x-amz-content-sha256: UNSIGNED-PAYLOAD"));
  env.set("KACHE_S3_SESSION_TOKEN", "token");
  ASSERT_TRUE((*open("s3://bucket"))->has(kName, {}).ok());
  EXPECT_TRUE(http.requests.back().has("x-amz-security-token: token"));
  EXPECT_TRUE(http.requests.back().has("x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
  ASSERT_TRUE((*open("s3://bucket?profile=anonymous"))->has(kName, {}).ok());
  EXPECT_FALSE(http.requests.back().is_signed);
}

TEST_F(S3RemoteTest, AServerWithoutConditionsIsRemembered) {
  http.answer_with = [&](const FakeHttp::Asked& asked) {
    return asked.has("If-None-Match: *") ? refusal(501, "NotImplemented") : FakeHttp::Answer{200, "", {}};
  };
  auto remote = open("s3://bucket");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(put_bytes(**remote, kName, "x", if_absent(), {}).ok());
  EXPECT_EQ(http.requests.size(), 4u);
}

TEST_F(S3RemoteTest, AConditionThatDoesNotHold) {
  auto remote = open("s3://bucket");
  PutCondition unchanged{PutCondition::if_version, "\"e\""};
  http.answer_with = [&](const FakeHttp::Asked&) { return refusal(412, "PreconditionFailed"); };
  EXPECT_EQ(put_bytes(**remote, kName, "x", if_absent(), {}).code(), ErrorCode::exists);
  EXPECT_EQ(put_bytes(**remote, kName, "x", unchanged, {}).code(), ErrorCode::exists);
  EXPECT_TRUE(http.requests.back().has("If-Match: e")) << "Ceph wants it without quotes";
  EXPECT_EQ(put_bytes(**remote, kName, "x", {}, {}).code(), ErrorCode::corrupt) << "nobody asked for a condition";
  http.answer_with = [&](const FakeHttp::Asked&) { return refusal(409, "ConditionalRequestConflict"); };
  http.requests.clear();
  EXPECT_EQ(put_bytes(**remote, kName, "x", if_absent(), {}).code(), ErrorCode::exists);
  EXPECT_EQ(http.requests.size(), 2u);
  http.answer_with = [&](const FakeHttp::Asked&) { return refusal(404, "NoSuchKey"); };
  EXPECT_EQ(put_bytes(**remote, kName, "x", unchanged, {}).code(), ErrorCode::exists);
  http.answer_with = [&](const FakeHttp::Asked&) { return refusal(404, "NoSuchBucket"); };
  EXPECT_EQ(put_bytes(**remote, kName, "x", unchanged, {}).code(), ErrorCode::invalid);
}

TEST_F(S3RemoteTest, WhatIsWrongIsNamed) {
  struct {
    int status;
    const char* code;
    ErrorCode error;
    const char* text;
  } const rows[] = {
      {403, "RequestTimeTooSkewed", ErrorCode::denied, "the clocks of this machine and of the server differ"},
      {403, "SignatureDoesNotMatch", ErrorCode::denied, "the secret key does not fit"},
      {301, "PermanentRedirect", ErrorCode::invalid, "another region or at another endpoint: eu-west-1"},
      {400, "AuthorizationHeaderMalformed", ErrorCode::invalid, "set region=: eu-west-1"},
      {503, "SlowDown", ErrorCode::io, "too many requests"},
      {403, "QuotaExceeded", ErrorCode::no_space, "the quota is used up"},
      {400, "EntityTooLarge", ErrorCode::too_large, "too large"},
      {500, "InternalError", ErrorCode::io, "status 500 (InternalError: m)"},
      {404, "NoSuchKey", ErrorCode::not_found, "not there"},
      {403, "\x1b[31mEvil", ErrorCode::denied, "?[31mEvil: m"},
  };
  auto remote = open("s3://bucket/p");
  for (const auto& row : rows) {
    http.answer_with = [&](const FakeHttp::Asked&) { return refusal(row.status, row.code); };
    StringSink sink;
    Result<std::string> got = (*remote)->get(kName, sink, {});
    ASSERT_FALSE(got.ok()) << row.code;
    EXPECT_EQ(got.code(), row.error) << row.code;
    EXPECT_NE(got.error().message.find(row.text), std::string::npos) << got.error().message;
    EXPECT_EQ(got.error().message.find("SK"), std::string::npos);
  }
}

TEST_F(S3RemoteTest, CredentialsThatExpireInTheMiddleAreMadeAnewOnce) {
  for (const char* name : {"KACHE_S3_ACCESS_KEY", "KACHE_S3_SECRET_KEY"}) env.unset(name);
  env.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c");
  int made = 0;
  std::string good = "key1";
  http.answer_with = [&](const FakeHttp::Asked& asked) -> FakeHttp::Answer {
    if (asked.url == "http://169.254.170.2/c") {
      std::string number = std::to_string(++made);
      return {200, R"({"AccessKeyId":"key)" + number + R"(","SecretAccessKey":"s","Token":"t","Expiration":"2027-01-15T09:00:00Z"})", {}};
    }
    if (asked.access_key == good) return {200, "", {}};
    return asked.method == "HEAD" ? FakeHttp::Answer{400, "", {}} : refusal(400, "ExpiredToken");
  };
  auto remote = open("s3://bucket");
  EXPECT_TRUE(put_bytes(**remote, kName, "x", {}, {}).ok());
  good = "key2";
  EXPECT_TRUE(put_bytes(**remote, kName, "x", {}, {}).ok());
  EXPECT_EQ(made, 2);
  good = "key3";
  EXPECT_TRUE(*(*remote)->has(kName, {})) << "an answer to HEAD does not say why";
  EXPECT_EQ(made, 3);
  good = "none";
  http.requests.clear();
  Status refused = put_bytes(**remote, kName, "x", {}, {});
  EXPECT_EQ(refused.code(), ErrorCode::denied);
  EXPECT_NE(refused.error().message.find("the credentials have expired"), std::string::npos);
  EXPECT_EQ(http.requests.size(), 3u) << "the request, new credentials, the request";
}

TEST_F(S3RemoteTest, AListingIsAskedForInTheOrderThatSignaturesWant) {
  std::vector<std::string> queries;
  http.answer_with = [&](const FakeHttp::Asked& asked) -> FakeHttp::Answer {
    queries.push_back(asked.url.substr(asked.url.find('?')));
    bool first = queries.size() == 1;
    return {200, "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>p%20q/k1/control/" + std::string(first ? "a" : "b") +
                     "</Key><Size>7</Size><LastModified>2026-08-22T10:11:12.131Z</LastModified></Contents><IsTruncated>" + (first ? "true" : "false") +
                     "</IsTruncated><NextContinuationToken>1/+=</NextContinuationToken></ListBucketResult>", {}};
  };
  std::string listed;
  ASSERT_TRUE((*open("s3://bucket/p%20q"))->list(ObjectKind::control, "", [&](const ListedObject& object) -> Status {
    listed += object.name.text() + " " + std::to_string(object.size) + " " + format_time(object.modified_ns) + "\n";
    return Ok{};
  }, {}).ok());
  EXPECT_EQ(listed, "k1/control/a 7 2026-08-22T10:11:12.000000Z\nk1/control/b 7 2026-08-22T10:11:12.000000Z\n");
  EXPECT_EQ(queries, (std::vector<std::string>{"?encoding-type=url&list-type=2&prefix=p%20q%2Fk1%2Fcontrol%2F",
                                               "?continuation-token=1%2F%2B%3D&encoding-type=url&list-type=2&prefix=p%20q%2Fk1%2Fcontrol%2F"}));
}

TEST_F(S3RemoteTest, AnAnswerThatIsShorterThanItSays) {
  http.answer_with = [](const FakeHttp::Asked&) { return FakeHttp::Answer{200, "abc", {{"content-length", "4"}}}; };
  StringSink sink;
  Result<std::string> got = (*open("s3://bucket"))->get(kName, sink, {});
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().message, "s3://bucket: 3 bytes of 4 arrived");
}

}  // namespace
}  // namespace kache
