// One line of text with a caret.
#pragma once

#include <string>

#include "tui/frame.h"
#include "tui/key.h"

namespace kache {

struct LineEdit {
  std::string text;
  size_t caret = 0;  // in bytes, always between characters

  // Characters, Backspace, Delete, Left, Right, Home, End. False for other keys.
  bool press(const Key& key);
  void start(std::string with) { text = std::move(with), caret = text.size(); }
};

// As much around the caret as finds room.
void put_edit(Frame& frame, int x, int y, int room, const LineEdit& edit);

}  // namespace kache
