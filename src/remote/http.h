// Http: one request and its answer. The seam below the S3 and HTTP engines: the real one is libcurl (curl_http.cc), tests have
// one that fails on purpose.
//
// Knows the protocol; unaware of objects. Any number of threads may have requests under way; connections are kept for the
// next request to the same host.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/env.h"
#include "remote/remote.h"

namespace kache {

struct AwsSignature {
  std::string region, service;  // "us-east-1", "s3"
  std::string access_key, secret_key;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  Source* body = nullptr;            // sent with its size
  Sink* sink = nullptr;              // takes the body of a 2xx answer; nullptr: it is read and dropped
  std::string user, password;        // basic authentication, where `user` is not empty
  const AwsSignature* signature = nullptr;
  bool follows_redirects = false;
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case, of the last answer
  std::string error_body;                      // of an answer that is not 2xx: at most 64 KiB
};

class Http {
 public:
  virtual ~Http() = default;
  // Any status is an answer. Otherwise there was none: `timed_out` also when it was given up, `too_large`, `denied` a certificate that
  // is not trusted, `corrupt` no HTTP, `invalid` no URL, `io`; or what the source or the sink of the bodies said.
  virtual Result<HttpResponse> perform(const HttpRequest& request, const Limits& limits) = 0;
};

// Requests that trust the same authorities share it, so that connections do: those of the system, and what SSL_CERT_FILE and
// SSL_CERT_DIR of somebody's environment name. Lives until the process ends.
Http& curl_http(const Env& env = {});

}  // namespace kache
