// Where the credentials for S3 come from. The first link of the chain that has some decides:
//
//   profile=anonymous              none, and requests are not signed
//   KACHE_S3_ACCESS_KEY, KACHE_S3_SECRET_KEY [, KACHE_S3_SESSION_TOKEN]
//   profile=<name>                 that profile or an error, never another link
//   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY [, AWS_SESSION_TOKEN]
//   AWS_PROFILE or "default"       of ~/.aws/credentials and ~/.aws/config (aws_profiles.h): keys, role_arn, credential_process
//   web identity                   AWS_WEB_IDENTITY_TOKEN_FILE + AWS_ROLE_ARN
//   container                      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI
//   EC2                            its metadata service (IMDSv2), unless AWS_EC2_METADATA_DISABLED=true
//
// Everything comes from the Env that was given, never from this process. What expires is fetched anew shortly before, by one
// thread; the others go on with what they have, or wait.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "base/file_system.h"
#include "remote/http.h"

namespace kache {

struct S3Credentials {
  std::string access_key, secret_key, session_token;
  int64_t expires_ns = INT64_MAX;  // of the wall clock
  bool is_anonymous() const { return access_key.empty(); }
};

// The outside world of the chain.
struct CredentialSeams {
  Http& http;
  FileSystem& files;
  Clock& clock;
  // What a program prints (credential_process.h).
  std::function<Result<std::string>(const std::vector<std::string>& argv, const Env& env, const Limits& limits)> run;
};
CredentialSeams real_credential_seams(const Env& env);

class CredentialChain {
 public:
  // `profile` is what the settings name, "" for none.
  CredentialChain(std::string profile, std::string region, Env env, CredentialSeams seams);

  // `denied` when no link has any, `invalid` for settings that can not work; both are remembered for a while.
  Result<S3Credentials> get(const Limits& limits);
  // The server does not take these any more: the next get() makes new ones, or fails for a while when there are no others.
  // Not certain, where a server can not say why it refused: then the same again are good for a while.
  void refuse(const S3Credentials& refused, bool is_certain = true);

 private:
  Result<S3Credentials> find(const Limits& limits);

  const std::string profile_, region_;
  const Env env_;
  CredentialSeams seams_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_fetching_ = false;       // by one thread; the mutex is not held meanwhile
  bool is_known_ = false;
  bool is_doubtful_ = false;       // by our clock they were over when they came
  S3Credentials known_;
  int64_t refresh_at_ns_ = 0;      // of the wall clock: a while before they expire
  std::optional<S3Credentials> refused_;  // by the server
  bool is_certain_ = false;        // that it was for their age
  int64_t believed_until_ns_ = 0;  // of the monotonic clock: found to be the newest that there are
  Error failed_;                   // what the last attempt ended with, until `ask_again_ns_`
  int64_t ask_again_ns_ = 0;       // of the monotonic clock
};

}  // namespace kache
