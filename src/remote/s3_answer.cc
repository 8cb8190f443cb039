#include "remote/s3_answer.h"

#include <time.h>

#include <charconv>
#include <cstdio>
#include <optional>

#include "remote/url.h"
#include "remote/xml.h"

namespace kache {
namespace {

constexpr size_t kMaxTags = 400'000;  // of a page: a thousand keys have twenty thousand
constexpr size_t kMaxErrorTags = 1000;

std::string text_of(const pugi::xml_node& parent, std::string_view name) { return child_named(parent, name).text().get(); }

}  // namespace

S3Error parse_s3_error(std::string_view xml) {
  S3Error error;
  pugi::xml_document document;
  if (!parse_xml(xml, kMaxErrorTags, document).ok()) return error;
  pugi::xml_node root = document.document_element();
  if (local_name(root) == "ErrorResponse") root = child_named(root, "Error");  // the frame of STS
  if (local_name(root) != "Error") return error;
  error.code = text_of(root, "Code");
  error.message = text_of(root, "Message");
  error.region = text_of(root, "Region");
  return error;
}

Result<S3Page> parse_s3_page(std::string_view xml) {
  pugi::xml_document document;
  KACHE_TRY(parse_xml(xml, kMaxTags, document));
  pugi::xml_node root = document.document_element();
  if (local_name(root) != "ListBucketResult") return Error{ErrorCode::corrupt, 0, "no ListBucketResult in the listing"};
  bool is_encoded = text_of(root, "EncodingType") == "url";
  S3Page page;
  for (const pugi::xml_node& contents : root.children()) {
    if (local_name(contents) != "Contents") continue;
    S3Key key;
    key.key = text_of(contents, "Key");
    if (is_encoded) {
      std::optional<std::string> decoded = percent_decoded_text(key.key);
      if (!decoded) continue;  // none of ours
      key.key = std::move(*decoded);
    }
    std::string size = text_of(contents, "Size");
    std::from_chars(size.data(), size.data() + size.size(), key.size);
    key.modified_ns = parse_utc_time(text_of(contents, "LastModified"));
    page.keys.push_back(std::move(key));
  }
  if (text_of(root, "IsTruncated") == "true") {
    page.next_token = text_of(root, "NextContinuationToken");
    if (page.next_token.empty()) return Error{ErrorCode::corrupt, 0, "a listing goes on without saying where"};
  }
  return page;
}

Result<StsCredentials> parse_sts_answer(std::string_view xml) {
  pugi::xml_document document;
  KACHE_TRY(parse_xml(xml, kMaxErrorTags, document));
  // <AssumeRole…Response><AssumeRole…Result><Credentials>
  for (const pugi::xml_node& result : document.document_element().children()) {
    pugi::xml_node found = child_named(result, "Credentials");
    if (found.empty()) continue;
    StsCredentials credentials{text_of(found, "AccessKeyId"), text_of(found, "SecretAccessKey"), text_of(found, "SessionToken"),
                               parse_utc_time(text_of(found, "Expiration"))};
    if (credentials.access_key.empty() || credentials.secret_key.empty()) break;
    return credentials;
  }
  return Error{ErrorCode::corrupt, 0, "no credentials in the answer"};
}

int64_t parse_utc_time(std::string_view text) {
  struct tm parts = {};
  int end = 0;
  std::string copy(text.substr(0, 64));
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour, &parts.tm_min,
                  &parts.tm_sec, &end) != 6) {
    return 0;
  }
  bool is_plausible = parts.tm_year >= 1970 && parts.tm_year < 2200 && parts.tm_mon >= 1 && parts.tm_mon <= 12 && parts.tm_mday >= 1 && parts.tm_mday <= 31 &&
                      parts.tm_hour >= 0 && parts.tm_hour < 24 && parts.tm_min >= 0 && parts.tm_min < 60 && parts.tm_sec >= 0 && parts.tm_sec <= 60;
  std::string_view zone = std::string_view(copy).substr(static_cast<size_t>(end));
  if (zone.starts_with('.')) zone = zone.substr(std::min(zone.find_first_not_of("0123456789", 1), zone.size()));
  if (!is_plausible || (zone != "Z" && zone != "+00:00" && zone != "+0000")) return 0;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return int64_t{::timegm(&parts)} * 1'000'000'000;
}

}  // namespace kache
