// Shell-like patterns over paths: * and ? within a component, ** across them, [a-z] sets, {a,b} alternatives.
#pragma once

#include <string_view>

namespace kache {

// The whole of `path` has to match. A malformed pattern matches nothing but itself.
bool glob_match(std::string_view pattern, std::string_view path);

}  // namespace kache
