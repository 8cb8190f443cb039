// What S3 and STS say, in XML. Input from outside: bounded, and nothing of it is believed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kache {

struct S3Error {
  std::string code, message, region;  // empty where the answer names none
};
// Never fails: what can not be read says nothing.
S3Error parse_s3_error(std::string_view xml);

struct S3Key {
  std::string key;
  uint64_t size = 0;
  int64_t modified_ns = 0;
};
struct S3Page {
  std::vector<S3Key> keys;
  std::string next_token;  // empty on the last page
};
// One page of ListObjectsV2. `corrupt` for what is none.
Result<S3Page> parse_s3_page(std::string_view xml);

struct StsCredentials {
  std::string access_key, secret_key, session_token;
  int64_t expires_ns = 0;  // 0 where it does not say
};
// AssumeRole and AssumeRoleWithWebIdentity.
Result<StsCredentials> parse_sts_answer(std::string_view xml);

// "2026-08-22T10:11:12.131Z", "…+00:00"; 0 for anything else.
int64_t parse_utc_time(std::string_view text);

}  // namespace kache
