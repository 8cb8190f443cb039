// UTF-8, for the few places that have to know: JSON, and arguments that rustc reads as text.
#pragma once

#include <cstddef>
#include <string_view>

namespace kache {

// The length of the valid sequence at the start of `text`; 0 when there is none.
size_t utf8_length(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace kache
