// What a terminal says of its mouse.
#pragma once

#include <string_view>

#include "tui/key.h"

namespace kache {

// Behind "\e[<": "0;12;5M" is the left button at the fifth line, "64;…" the wheel. Key::none for what is of no interest: other
// buttons, releases, moves, and what is no such report.
Key parse_mouse(std::string_view report);

// Terminals that do not know that form send three bytes behind "\e[M".
Key parse_old_mouse(unsigned char button, unsigned char x, unsigned char y);

}  // namespace kache
