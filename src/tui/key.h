// One key, as screens see it.
#pragma once

#include <cstdint>
#include <string>

namespace kache {

struct Key {
  enum Code : uint8_t {
    none,  // nothing was pressed for a while
    text,  // a character, in `typed`
    enter, escape, tab, back_tab, up, down, left, right, page_up, page_down, home, end, backspace, del,
    click, wheel_up, wheel_down,  // of the mouse, at x and y
    save,    // Ctrl-S
    resize,  // the terminal has another size
    quit,    // Ctrl-C, or a signal that asks us to end
  } code = none;
  std::string typed = {};
  int x = 0, y = 0;  // the cell, from 0

  bool is(std::string_view character) const { return code == text && typed == character; }
};

}  // namespace kache
