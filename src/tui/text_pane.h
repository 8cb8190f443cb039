// Text that is longer than the screen.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tui/frame.h"
#include "tui/key.h"

namespace kache {

struct TextPane {
  size_t top = 0;

  // Up, down, pages, ends and the wheel. False for other keys.
  bool move(const Key& key, size_t lines, size_t page);
};

// Lines that are no wider than that. What goes on in the next line stands two columns further in.
std::vector<std::string> wrapped(std::string_view text, int width);

// As many lines as find room between `y` and `end`. Returns "3-12 of 40", "" where all are seen.
std::string put_text(Frame& frame, int y, int end, const TextPane& pane, const std::vector<std::string>& lines);

}  // namespace kache
