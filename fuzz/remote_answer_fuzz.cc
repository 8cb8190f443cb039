// Any text where XML of S3, STS or WebDAV is expected: refused, or names and numbers that keep what the headers promise.
#include <cstdlib>

#include "remote/dav_answer.h"
#include "remote/s3_answer.h"

using namespace kache;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_s3_error(text);
  if (parse_utc_time(text) < 0) std::abort();
  Result<StsCredentials> credentials = parse_sts_answer(text);
  if (credentials.ok() && (credentials->access_key.empty() || credentials->secret_key.empty())) std::abort();
  Result<S3Page> page = parse_s3_page(text);
  if (page.ok() && page->keys.size() > size / 9) std::abort();
  Result<std::vector<DavEntry>> entries = parse_multistatus(text, "/a/");
  if (!entries.ok()) return 0;
  for (const DavEntry& entry : *entries) {
    if (entry.name.empty() || entry.name == "." || entry.name == ".." || entry.name.find('/') != std::string::npos || entry.modified_ns < 0) std::abort();
  }
  return 0;
}
