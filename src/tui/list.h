// A list that scrolls, and columns that make room for each other.
#pragma once

#include <string>
#include <vector>

#include "tui/frame.h"
#include "tui/key.h"

namespace kache {

struct ListPlace {
  size_t cursor = 0, top = 0;

  // Up, down, pages, ends and the wheel. False for other keys.
  bool move(const Key& key, size_t count, size_t page);
  // Brings the cursor into the list and the window to the cursor.
  void settle(size_t count, size_t page);
  // Moves the window; the cursor goes with it as far as it must.
  void scroll(int rows, size_t count, size_t page);
};

inline constexpr int kWheelRows = 3;

struct Column {
  const char* title;
  int width;            // the least, where it is `wide`
  bool is_right = false;
  bool is_wide = false;  // takes what is left over
  int worth = 9;         // those of the least worth go first where there is no room
  bool keeps_end = false;  // of a text that is cut
};

// The width of each, 0 for those that are left out; two blanks lie between them.
std::vector<int> fit_columns(const std::vector<Column>& columns, int room);
// One cell each; `styles` may be shorter.
void put_row(Frame& frame, int x, int y, const std::vector<Column>& columns, const std::vector<int>& widths,
             const std::vector<std::string>& cells, const std::vector<Style>& styles = {});
void put_titles(Frame& frame, int x, int y, const std::vector<Column>& columns, const std::vector<int>& widths);

// "3-12 of 40", "" where all are seen.
std::string position(const ListPlace& place, size_t count, size_t page);

}  // namespace kache
