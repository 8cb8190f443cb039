#include "remote/xml.h"

#include <algorithm>

namespace kache {
namespace {

constexpr unsigned kParse = pugi::parse_minimal | pugi::parse_escapes | pugi::parse_cdata | pugi::parse_trim_pcdata;

}  // namespace

Status parse_xml(std::string_view text, size_t max_tags, pugi::xml_document& document) {
  if (static_cast<size_t>(std::count(text.begin(), text.end(), '<')) > max_tags) return Error{ErrorCode::too_large, 0, "the answer has too many tags"};
  pugi::xml_parse_result parsed = document.load_buffer(text.data(), text.size(), kParse);
  if (!parsed) return Error{ErrorCode::corrupt, 0, "the answer is no XML"};
  return Ok{};
}

std::string_view local_name(const pugi::xml_node& node) {
  std::string_view name = node.name();
  return name.substr(name.rfind(':') + 1);  // npos + 1 is 0
}

pugi::xml_node child_named(const pugi::xml_node& parent, std::string_view name) {
  for (const pugi::xml_node& child : parent.children()) {
    if (local_name(child) == name) return child;
  }
  return {};
}

}  // namespace kache
