// Each link of the chain, its order, and what becomes of credentials that expire.
#include "remote/s3_credentials.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/fake_http.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

std::string json(const std::string& name, const std::string& expires = "", const char* token = "Token") {
  return "{\"AccessKeyId\":\"" + name + "\",\"SecretAccessKey\":\"" + name + "-secret\",\"" + token + "\":\"" + name + "-token\"" +
         (expires.empty() ? "" : ",\"Expiration\":\"" + expires + "\"") + "}";
}

std::string sts(const std::string& name, const std::string& expires = "2027-01-15T09:00:00Z") {
  return "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials><AccessKeyId>" + name +
         "</AccessKeyId><SecretAccessKey>" + name + "-secret</SecretAccessKey><SessionToken>" + name + "-token</SessionToken><Expiration>" + expires +
         "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
}

class CredentialChainTest : public ::testing::Test {
 protected:
  CredentialChainTest() {
    for (const char* directory : {"/home", "/home/.aws"}) (void)files.make_dir(directory, 0755);
    env.set("HOME", "/home");
    env.set("AWS_EC2_METADATA_DISABLED", "true");
  }

  void write(const std::string& path, const std::string& text) { ASSERT_TRUE(files.create(path, text, 0600).ok()); }

  CredentialChain chain(const std::string& profile = "") {
    return CredentialChain(profile, "eu-west-1", env, {http, files, clock, [this](const std::vector<std::string>& argv, const Env& of, const Limits&) -> Result<std::string> {
      programs.push_back(argv);
      program_profile = of.get_or_empty("AWS_PROFILE");
      return program_prints;
    }});
  }
  // The access key that is found, or the error.
  std::string found(const std::string& profile = "") {
    CredentialChain one = chain(profile);
    Result<S3Credentials> credentials = one.get({});
    if (!credentials.ok()) return credentials.error().message;
    EXPECT_EQ(credentials->secret_key, credentials->access_key.empty() ? "" : credentials->access_key + "-secret");
    token = credentials->session_token;
    return credentials->access_key;
  }
  void set(const std::string& key, const std::string& secret, const std::string& value) {
    env.set(key, value);
    env.set(secret, value + "-secret");
  }

  ManualClock clock;
  MemFileSystem files{clock};
  FakeHttp http;
  Env env;
  std::string token, program_prints, program_profile;
  std::vector<std::vector<std::string>> programs;
};

TEST_F(CredentialChainTest, TheFirstLinkThatHasSomeDecides) {
  env.unset("AWS_EC2_METADATA_DISABLED");
  http.answers["PUT http://169.254.169.254/latest/api/token"] = {200, "imds-token"};
  http.answers["GET http://169.254.169.254/latest/meta-data/iam/security-credentials/"] = {200, "role\n"};
  http.answers["GET http://169.254.169.254/latest/meta-data/iam/security-credentials/role"] = {200, json("metadata")};
  EXPECT_EQ(found(), "metadata");
  EXPECT_EQ(token, "metadata-token");
  EXPECT_TRUE(http.requests[1].has("X-aws-ec2-metadata-token: imds-token"));

  env.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials");
  http.answers["GET http://169.254.170.2/v2/credentials"] = {200, json("container")};
  EXPECT_EQ(found(), "container");

  write("/token", "web-token\n");
  env.set("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
  env.set("AWS_ROLE_ARN", "arn:aws:iam::1:role/web");
  http.answers["POST https://sts.eu-west-1.amazonaws.com/"] = {200, sts("web")};
  EXPECT_EQ(found(), "web");
  EXPECT_NE(http.requests.back().body.find("WebIdentityToken=web-token"), std::string::npos);
  EXPECT_FALSE(http.requests.back().is_signed) << "there is nothing yet to sign with";

  write("/home/.aws/credentials", "[default]\naws_access_key_id = profile\naws_secret_access_key = profile-secret\n[other]\naws_access_key_id = other\naws_secret_access_key = other-secret\n");
  EXPECT_EQ(found(), "profile");
  env.set("AWS_PROFILE", "other");
  EXPECT_EQ(found(), "other");

  set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "aws");
  env.set("AWS_SESSION_TOKEN", "aws-token");
  EXPECT_EQ(found(), "aws");
  EXPECT_EQ(token, "aws-token");
  EXPECT_EQ(found("default"), "profile") << "a profile that the settings name stands before AWS's variables";

  set("KACHE_S3_ACCESS_KEY", "KACHE_S3_SECRET_KEY", "kache");
  EXPECT_EQ(found(), "kache");
  EXPECT_EQ(token, "");
  env.set("KACHE_S3_SESSION_TOKEN", "kache-token");
  EXPECT_EQ(found("default"), "kache");
  EXPECT_EQ(token, "kache-token");

  EXPECT_EQ(found("anonymous"), "");
}

TEST_F(CredentialChainTest, HalfAPairIsNamed) {
  env.set("AWS_SECRET_ACCESS_KEY", "x");
  EXPECT_EQ(found(), "AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not; set both or none");
  env.set("KACHE_S3_ACCESS_KEY", "x");
  EXPECT_EQ(found(), "KACHE_S3_ACCESS_KEY is set and KACHE_S3_SECRET_KEY is not; set both or none");
}

TEST_F(CredentialChainTest, NothingAnywhereSaysWhatToDo) {
  EXPECT_NE(found().find("set KACHE_S3_ACCESS_KEY and KACHE_S3_SECRET_KEY"), std::string::npos);
  EXPECT_TRUE(http.requests.empty()) << "the metadata service is disabled";
  EXPECT_NE(found("missing").find("no profile missing"), std::string::npos);
}

TEST_F(CredentialChainTest, ARoleIsAssumedWithItsSource) {
  write("/home/.aws/config",
        "[profile base]\naws_access_key_id = base\naws_secret_access_key = base-secret\n"
        "[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\nexternal_id = a b\nrole_session_name = me\nregion = us-west-2\n"
        "[profile twice]\nrole_arn = arn:aws:iam::1:role/s\nsource_profile = role\n"
        "[profile env]\nrole_arn = arn:aws:iam::1:role/e\ncredential_source = Environment\n"
        "[profile self]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = self\n"
        "[profile none]\nrole_arn = arn:aws:iam::1:role/x\n"
        "[profile mfa]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = base\nmfa_serial = 1\n"
        "[profile sso]\nsso_session = s\n");
  http.answers["POST https://sts.us-west-2.amazonaws.com/"] = {200, sts("role")};
  EXPECT_EQ(found("role"), "role");
  FakeHttp::Asked& asked = http.requests.back();
  EXPECT_EQ(asked.body, "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me&ExternalId=a%20b");
  EXPECT_TRUE(asked.is_signed);
  EXPECT_EQ(asked.access_key + " " + asked.region + " " + asked.service, "base us-west-2 sts");

  http.answers["POST https://sts.eu-west-1.amazonaws.com/"] = {200, sts("twice")};
  EXPECT_EQ(found("twice"), "twice");
  EXPECT_EQ(http.requests.back().access_key, "role");
  EXPECT_TRUE(http.requests.back().has("x-amz-security-token: role-token"));

  set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "aws");
  EXPECT_EQ(found("env"), "twice");
  EXPECT_EQ(http.requests.back().access_key, "aws");

  EXPECT_NE(found("self").find("leads back to it"), std::string::npos);
  EXPECT_NE(found("none").find("neither source_profile"), std::string::npos);
  EXPECT_NE(found("mfa").find("one-time password"), std::string::npos);
  EXPECT_NE(found("sso").find("aws configure export-credentials --profile sso"), std::string::npos);

  http.answers["POST https://sts.us-west-2.amazonaws.com/"] = {403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>"};
  EXPECT_NE(found("role").find("AccessDenied: not you"), std::string::npos);
}

TEST_F(CredentialChainTest, AProgramPrintsThem) {
  write("/home/.aws/config", "[profile p]\ncredential_process = /bin/get \"a b\" c\\ d $HOME # not this\n");
  program_prints = json("program", "", "SessionToken");
  EXPECT_EQ(found("p"), "program");
  EXPECT_EQ(token, "program-token");
  EXPECT_EQ(programs.at(0), (std::vector<std::string>{"/bin/get", "a b", "c d", "$HOME"}));
  EXPECT_EQ(program_profile, "p");
  program_prints = "{\"Version\": 1}";
  EXPECT_EQ(found("p"), "credential_process of profile p: no AccessKeyId and SecretAccessKey in the answer");
}

TEST_F(CredentialChainTest, AContainerAsksOnlyWhereNobodyListens) {
  for (const char* url : {"http://example.com/x", "http://10.0.0.1/x", "http://127.0.0.1.example.com/x", "http://localhost@example.com/x", "ftp://127.0.0.1/x"}) {
    env.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
    EXPECT_EQ(found(), "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor on this machine") << url;
  }
  EXPECT_TRUE(http.requests.empty());
  write("/token", "of the pod\n");
  env.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token");
  for (const char* url : {"https://example.com/x", "http://127.0.0.1:80/x", "http://[::1]:80/x", "http://169.254.170.23/v1/credentials"}) {
    env.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
    http.answers[std::string("GET ") + url] = {200, json("pod")};
    EXPECT_EQ(found(), "pod") << url;
    EXPECT_TRUE(http.requests.back().has("Authorization: of the pod"));
  }
  http.answers.clear();
  EXPECT_NE(found().find("404"), std::string::npos) << "a container that gives none is an error, not another link";
}

TEST_F(CredentialChainTest, TheyAreFetchedOnceAndAgainShortlyBeforeTheyExpire) {
  env.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c");
  auto& answer = http.answers["GET http://169.254.170.2/c"];
  answer = {200, json("first", "2027-01-15T09:00:00Z")};  // in an hour of the ManualClock
  CredentialChain one = chain();
  EXPECT_EQ(one.get({})->access_key, "first");
  EXPECT_EQ(one.get({})->access_key, "first");
  EXPECT_EQ(http.requests.size(), 1u);

  clock.now_ns += 3400 * kSecond;
  answer = {500, ""};
  EXPECT_EQ(one.get({})->access_key, "first") << "they are good for some minutes yet";
  EXPECT_EQ(one.get({})->access_key, "first");
  EXPECT_EQ(http.requests.size(), 2u) << "and the place that failed is left alone for a while";

  clock.now_ns += 40 * kSecond;
  answer = {200, json("second", "2027-01-15T10:00:00Z")};
  EXPECT_EQ(one.get({})->access_key, "second");

  one.refuse(S3Credentials{"first", "", "first-token"});
  EXPECT_EQ(one.get({})->access_key, "second") << "those were others";
  answer = {200, json("third")};
  one.refuse(*one.get({}));
  EXPECT_EQ(one.get({})->access_key, "third");
  clock.now_ns += 10'000'000 * kSecond;
  EXPECT_EQ(one.get({})->access_key, "third") << "these do not expire";
}

TEST_F(CredentialChainTest, WhatTheServerRefusesAndIsAllThereIsIsNotAskedForAgainAndAgain) {
  write("/home/.aws/config", "[profile p]\ncredential_process = /bin/get\n");
  program_prints = json("old", "", "SessionToken");
  CredentialChain one = chain("p");
  for (int i = 0; i < 5; ++i) {
    Result<S3Credentials> got = one.get({});
    if (got.ok()) one.refuse(*got);
    else EXPECT_NE(got.error().message.find("there are no newer ones"), std::string::npos);
  }
  EXPECT_EQ(programs.size(), 2u);
  clock.now_ns += 31 * kSecond;
  program_prints = json("new", "", "SessionToken");
  EXPECT_EQ(one.get({})->access_key, "new");
}

TEST_F(CredentialChainTest, AfterAWhileTheSameHaveAnotherChance) {
  write("/home/.aws/config", "[profile p]\ncredential_process = /bin/get\n");
  program_prints = json("same", "", "SessionToken");
  CredentialChain one = chain("p");
  one.refuse(*one.get({}));
  EXPECT_FALSE(one.get({}).ok());
  clock.now_ns += 31 * kSecond;
  EXPECT_EQ(one.get({})->access_key, "same");
}

TEST_F(CredentialChainTest, ARefusalThatMayHaveAnotherReasonAsksOnce) {
  write("/home/.aws/config", "[profile p]\ncredential_process = /bin/get\n");
  program_prints = json("good", "2027-01-15T09:00:00Z", "SessionToken");
  CredentialChain one = chain("p");
  for (int i = 0; i < 5; ++i) {
    Result<S3Credentials> got = one.get({});
    ASSERT_TRUE(got.ok());
    one.refuse(*got, false);
  }
  EXPECT_EQ(programs.size(), 2u);
}

TEST_F(CredentialChainTest, ThoseThatAreOverWhenTheyComeAreUsedAndNotFetchedForEachRequest) {
  write("/home/.aws/config", "[profile p]\ncredential_process = /bin/get\n");
  program_prints = json("past", "2020-01-15T09:00:00Z", "SessionToken");  // or this clock is wrong
  CredentialChain one = chain("p");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(one.get({})->access_key, "past");
  EXPECT_EQ(programs.size(), 1u);
  clock.now_ns += 31 * kSecond;
  EXPECT_EQ(one.get({})->access_key, "past");
  EXPECT_EQ(programs.size(), 2u);
  program_prints = json("new", "2030-01-15T09:00:00Z", "SessionToken");
  one.refuse(*one.get({}));
  EXPECT_EQ(one.get({})->access_key, "new") << "the server knows better";
}

TEST_F(CredentialChainTest, AFailureIsRemembered) {
  env.unset("AWS_EC2_METADATA_DISABLED");
  CredentialChain one = chain();
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(one.get({}).ok());
  EXPECT_EQ(http.requests.size(), 1u);
  clock.now_ns += 31 * kSecond;
  EXPECT_FALSE(one.get({}).ok());
  EXPECT_EQ(http.requests.size(), 2u);
}

TEST_F(CredentialChainTest, ManyThreadsAskOnce) {
  env.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c");
  http.answers["GET http://169.254.170.2/c"] = {200, json("shared")};
  http.delay_ms = 50;
  CredentialChain one = chain();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { good += one.get({}).ok(); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 8);
  EXPECT_EQ(http.requests.size(), 1u);
}

TEST_F(CredentialChainTest, NoHeaderIsSmuggledInWithThem) {
  env.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c");
  http.answers["GET http://169.254.170.2/c"] = {200, R"({"AccessKeyId":"a","SecretAccessKey":"b","Token":"c\r\nX: y"})"};
  EXPECT_EQ(found(), "credentials of more than one line");
}

}  // namespace
}  // namespace kache
