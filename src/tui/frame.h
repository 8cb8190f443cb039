// A screen as a value: a grid of styled cells. Screens are functions from a model to a Frame; a Terminal shows it, and tests
// read it. Nothing here knows of terminals, colours or locales.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kache {

// By meaning; the terminal has a colour for each, or none.
enum class Style : uint8_t { plain, title, dim, good, warn, bad, accent };
inline constexpr size_t kStyles = 7;

struct Cell {
  std::string text = " ";  // one character of UTF-8 with what combines with it; "" behind a wide one
  Style style = Style::plain;
  bool is_reversed = false;
  bool operator==(const Cell&) const = default;
};

class Frame {
 public:
  Frame(int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }

  // Cut off at the edges. Control characters and bytes that are no UTF-8 become '?'. Returns the column behind it.
  int put(int x, int y, std::string_view text, Style style = Style::plain);
  // At most `room` columns; what is cut ends in "…".
  int put_cut(int x, int y, int room, std::string_view text, Style style = Style::plain);
  int put_right(int end, int y, std::string_view text, Style style = Style::plain);
  // A line or a part of it, as a cursor is shown.
  void reverse(int y, int from = 0, int end = kWhole);

  // REQUIRES: inside of it.
  const Cell& at(int x, int y) const { return cells_[static_cast<size_t>(y * width_ + x)]; }
  Cell& at(int x, int y) { return cells_[static_cast<size_t>(y * width_ + x)]; }
  // A line without the blanks at its end; all lines.
  std::string line(int y) const;
  std::string text() const;

 private:
  static constexpr int kWhole = 1 << 20;
  int width_, height_;
  std::vector<Cell> cells_;
};

// In columns of a terminal: East Asian characters and emoji take two, combining ones none.
int display_width(std::string_view text);
// Its beginning, or with `keep_end` its end, in at most `columns`, "…" where something was cut.
std::string cut_to_width(std::string_view text, int columns, bool keep_end = false);

// Cut, or filled up with blanks.
std::string padded_to(std::string_view text, int columns);

// For a terminal that has no UTF-8: our own signs by what is like them, the rest '?'.
Frame to_ascii(const Frame& frame);
std::string to_ascii(std::string_view text);  // line by line

}  // namespace kache
