// Compiler-written text with places in it: taken apart on a miss, written for the consumer on a hit.
#pragma once

#include <string>
#include <string_view>

#include "key/roots.h"
#include "store/entry.h"

namespace kache {

enum class TextKind : uint8_t { dep_info, messages };

// Text whose paths could not be taken out (or would not come back byte for byte) is one literal.
TextTemplate make_template(std::string_view bytes, TextKind kind, const Roots& roots);

// For the place described by `roots`.
std::string render_template(const TextTemplate& text, const Roots& roots);

}  // namespace kache
