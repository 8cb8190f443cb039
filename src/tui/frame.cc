#include "tui/frame.h"

#include <algorithm>
#include <iterator>

#include "base/utf8.h"

namespace kache {
namespace {

struct Range {
  char32_t first, last;
};
constexpr Range kWide[] = {{0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},   {0x2E80, 0x303E},
                           {0x3041, 0xA4CF},   {0xA960, 0xA97C},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
                           {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x16FE0, 0x18CFF}, {0x1B000, 0x1B2FF}, {0x1F300, 0x1F64F},
                           {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD}};
constexpr Range kCombining[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F},
                                {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064},
                                {0x2066, 0x206F}, {0x20D0, 0x20F0}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}};

template <size_t N>
bool is_in(const Range (&ranges)[N], char32_t c) {
  auto row = std::upper_bound(std::begin(ranges), std::end(ranges), c, [](char32_t value, const Range& range) { return value < range.first; });
  return row != std::begin(ranges) && c <= std::prev(row)->last;
}

struct Sign {
  std::string_view text;
  char like;
};
constexpr Sign kSigns[] = {{"✓", '+'}, {"●", 'o'}, {"→", '>'}, {"⇓", 'V'}, {"↓", 'v'}, {"↑", '^'}, {"·", '.'}, {"…", '~'}, {"─", '-'},
                           {"│", '|'}, {"▁", '_'}, {"▂", '.'}, {"▃", ':'}, {"▄", '-'}, {"▅", '='}, {"▆", '+'}, {"▇", '*'}, {"█", '#'}};

// One character: its bytes (a '?' in place of what can not be shown) and how many of the text they are.
struct Character {
  std::string_view bytes;
  size_t length;
  int width;
};

char32_t code_point(std::string_view bytes) {
  unsigned char first = static_cast<unsigned char>(bytes[0]);
  char32_t code = bytes.size() == 1 ? first : first & (0x7F >> bytes.size());
  for (char c : bytes.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3F);
  return code;
}

Character next_character(std::string_view text) {
  size_t length = utf8_length(text);
  if (length == 0) return {"?", 1, 1};
  std::string_view bytes = text.substr(0, length);
  char32_t code = code_point(bytes);
  if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return {"?", length, 1};
  // Marks that turn the direction of a line around have no business in a table.
  if ((code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069)) return {"?", length, 1};
  return {bytes, length, is_in(kCombining, code) ? 0 : is_in(kWide, code) ? 2 : 1};
}

}  // namespace

Frame::Frame(int width, int height)
    : width_(std::max(width, 0)), height_(std::max(height, 0)), cells_(static_cast<size_t>(width_) * static_cast<size_t>(height_)) {}

int Frame::put(int x, int y, std::string_view text, Style style) {
  while (!text.empty()) {
    Character next = next_character(text);
    text.remove_prefix(next.length);
    bool is_visible = y >= 0 && y < height_ && x >= 0 && x + next.width <= width_;
    if (next.width == 0) {
      if (is_visible && x > 0 && at(x - 1, y).text.size() < 32) at(x - 1, y).text += next.bytes;
      continue;
    }
    if (is_visible) {
      at(x, y).text = next.bytes;
      at(x, y).style = style;
      if (next.width == 2) at(x + 1, y) = {"", style, at(x + 1, y).is_reversed};
    }
    x += next.width;
  }
  return x;
}

int Frame::put_cut(int x, int y, int room, std::string_view text, Style style) {
  return put(x, y, cut_to_width(text, std::min(room, width_ - x)), style);
}

int Frame::put_right(int end, int y, std::string_view text, Style style) { return put(end - display_width(text), y, text, style); }

void Frame::reverse(int y, int from, int end) {
  if (y < 0 || y >= height_) return;
  for (int x = std::max(from, 0); x < std::min(end, width_); ++x) at(x, y).is_reversed = true;
}

std::string Frame::line(int y) const {
  std::string line;
  for (int x = 0; x < width_; ++x) line += at(x, y).text;
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string Frame::text() const {
  std::string all;
  for (int y = 0; y < height_; ++y) all += line(y) + "\n";
  return all;
}

int display_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    Character next = next_character(text);
    text.remove_prefix(next.length);
    width += next.width;
  }
  return width;
}

std::string cut_to_width(std::string_view text, int columns, bool keep_end) {
  int width = display_width(text);
  if (width <= columns) return std::string(text);
  if (columns <= 0) return {};
  if (keep_end) {
    while (width > columns - 1) {
      Character next = next_character(text);
      text.remove_prefix(next.length);
      width -= next.width;
    }
    return "…" + std::string(text);
  }
  std::string out;
  for (int room = columns - 1;;) {
    Character next = next_character(text);
    if (next.width > room) break;
    room -= next.width;
    out += text.substr(0, next.length);
    text.remove_prefix(next.length);
  }
  return out + "…";
}

std::string padded_to(std::string_view text, int columns) {
  std::string out = cut_to_width(text, columns);
  return out + std::string(static_cast<size_t>(std::max(columns - display_width(out), 0)), ' ');
}

Frame to_ascii(const Frame& frame) {
  Frame plain = frame;
  for (int y = 0; y < frame.height(); ++y) {
    for (int x = 0; x < frame.width(); ++x) {
      std::string& text = plain.at(x, y).text;
      if (text.size() == 1) continue;
      auto sign = std::find_if(std::begin(kSigns), std::end(kSigns), [&](const Sign& row) { return row.text == text; });
      text = sign == std::end(kSigns) ? '?' : sign->like;
    }
  }
  return plain;
}

std::string to_ascii(std::string_view text) {
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    Frame frame(display_width(line), 1);
    frame.put(0, 0, line);
    plain += to_ascii(frame).line(0) + "\n";
    at = end + 1;
  }
  return plain;
}

}  // namespace kache
