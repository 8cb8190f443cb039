// Which language a file is in, by its name, as the driver of gcc or clang decides it.
#pragma once

#include <string_view>

namespace kache {

// "c", "c++", "c-header", "assembler", … in the words of -x; "" for what only the linker takes.
std::string_view cc_language_of(std::string_view path);

bool is_cc_header(std::string_view language);       // becomes a precompiled header
// Nothing is read beside the file itself, and no dependencies are written.
bool is_cc_preprocessed(std::string_view language);

}  // namespace kache
