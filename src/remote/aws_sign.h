// What a request to AWS needs beside libcurl's signature: the hash of its body and the token of a session, as headers, so
// that they are signed too.
#pragma once

#include <string>
#include <string_view>

#include "remote/http.h"
#include "remote/s3_credentials.h"

namespace kache {

constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

// `signature` has region and service, gets the keys, and must live as long as the request. Nothing for anonymous ones.
void sign(HttpRequest& request, AwsSignature& signature, const S3Credentials& by, std::string_view payload);

// In hexadecimal digits, for `payload`.
std::string sha256_hex(std::string_view bytes);
Result<std::string> sha256_hex(Source& source);

}  // namespace kache
