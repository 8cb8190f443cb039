#include "remote/dav_answer.h"

#include <algorithm>
#include <charconv>

#include <curl/curl.h>
#include <pugixml.hpp>

#include "remote/url.h"
#include "remote/xml.h"

namespace kache {
namespace {

constexpr size_t kMaxTags = 8'000'000;  // a quarter of a million names, and half a gigabyte in memory
constexpr int64_t kMaxSeconds = 7'000'000'000;  // of a time: what is beyond does not fit into nanoseconds

void read_properties(const pugi::xml_node& response, DavEntry& entry) {
  for (const pugi::xml_node& stat : response.children()) {
    if (local_name(stat) != "propstat") continue;
    for (const pugi::xml_node& property : child_named(stat, "prop").children()) {
      std::string_view name = local_name(property), text = property.text().get();
      if (name == "resourcetype") entry.is_collection = !child_named(property, "collection").empty();
      else if (name == "getcontentlength") std::from_chars(text.data(), text.data() + text.size(), entry.size);
      else if (name == "getlastmodified") entry.modified_ns = std::clamp<int64_t>(curl_getdate(property.text().get(), nullptr), 0, kMaxSeconds) * 1'000'000'000;
    }
  }
}

// The name directly below `path` that an href means; "" for none.
std::string name_below(std::string_view href, const std::string& path) {
  if (href.find("://") != std::string_view::npos) href = path_of(href);
  std::optional<std::string> decoded = percent_decoded_text(href);
  if (!decoded || !decoded->starts_with(path)) return "";
  std::string name = decoded->substr(path.size());
  if (!name.empty() && name.back() == '/') name.pop_back();
  return name.find('/') == std::string::npos && name != "." && name != ".." ? name : "";
}

}  // namespace

Result<std::vector<DavEntry>> parse_multistatus(std::string_view xml, std::string_view path) {
  std::optional<std::string> base = percent_decoded_text(path);
  if (!base || !base->ends_with('/')) return Error{ErrorCode::invalid, 0, "no path of a collection"};
  pugi::xml_document document;
  KACHE_TRY(parse_xml(xml, kMaxTags, document));
  pugi::xml_node root = document.document_element();
  if (local_name(root) != "multistatus") return Error{ErrorCode::corrupt, 0, "no multistatus in the listing"};
  std::vector<DavEntry> entries;
  for (const pugi::xml_node& response : root.children()) {
    if (local_name(response) != "response") continue;
    DavEntry entry;
    entry.name = name_below(child_named(response, "href").text().get(), *base);
    if (entry.name.empty()) continue;
    read_properties(response, entry);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace kache
