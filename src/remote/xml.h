// XML that servers send: hostile until proven otherwise. pugixml resolves no entities of a DTD and does not recurse while it
// parses; what is left to bound is the memory that many small tags take.
#pragma once

#include <string_view>

#include <pugixml.hpp>

#include "base/result.h"

namespace kache {

// `corrupt` for what is no XML, `too_large` for more than `max_tags`.
Status parse_xml(std::string_view text, size_t max_tags, pugi::xml_document& document);

// "response" of "<D:response>": whatever prefix a server has for its name space.
std::string_view local_name(const pugi::xml_node& node);
// The first child of this local name; an empty node where there is none.
pugi::xml_node child_named(const pugi::xml_node& parent, std::string_view name);

}  // namespace kache
