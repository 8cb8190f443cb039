// Compiler-written text with places in it: taken apart on a miss, written for the consumer on a hit.
#pragma once

#include <string>
#include <string_view>

#include "key/roots.h"
#include "store/entry.h"

namespace kache {

enum class TextKind : uint8_t { dep_info, messages, cc_messages };

// Text whose paths could not be taken out (or would not come back byte for byte) is one literal.
TextTemplate make_template(std::string_view bytes, TextKind kind, const Roots& roots);

// For the place described by `roots`.
std::string render_template(const TextTemplate& text, const Roots& roots);

// A depfile of gcc or clang, whose targets are those of the call: `targets` as that compiler writes them. False when it could
// not be taken apart, or is for other targets than the command line says; then it is one literal and good for these targets.
bool make_depfile_template(std::string_view bytes, const std::vector<std::string>& targets, const Roots& roots,
                           TextTemplate& text);
std::string render_depfile(const TextTemplate& text, const std::vector<std::string>& targets, const Roots& roots);

}  // namespace kache
