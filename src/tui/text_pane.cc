#include "tui/text_pane.h"

#include <algorithm>

#include "tui/list.h"

namespace kache {
namespace {

// How many bytes of a line find room in so many columns: up to a blank behind `from`, else as they come. At least one character.
size_t length_that_fits(std::string_view line, int columns, size_t from) {
  size_t length = 0, blank = 0;
  for (int width = 0; length < line.size();) {
    size_t next = length + 1;
    while (next < line.size() && (static_cast<unsigned char>(line[next]) & 0xC0) == 0x80) ++next;
    width += display_width(line.substr(length, next - length));
    if (width > columns && length > from) return blank > from ? blank : length;
    if (line[length] == ' ') blank = length;
    length = next;
  }
  return length;
}

void wrap_line(std::string_view line, int width, std::vector<std::string>& out) {
  constexpr int kNarrow = 8;  // below that no column is given away
  size_t indent = std::min(line.find_first_not_of(' '), line.size()), most = width < kNarrow ? 0 : static_cast<size_t>(width / 2);
  if (indent > most) line.remove_prefix(indent - most), indent = most;
  std::string margin(std::min(indent + 2, most), ' '), lead;
  do {
    size_t from = lead.empty() ? indent : 0;
    size_t length = length_that_fits(line, width - static_cast<int>(lead.size()), from);
    out.push_back(lead + std::string(line.substr(0, length)));
    line.remove_prefix(length);
    if (line.starts_with(' ')) line.remove_prefix(1);
    lead = margin;
  } while (!line.empty());
}

}  // namespace

bool TextPane::move(const Key& key, size_t lines, size_t page) {
  size_t last_top = lines > page ? lines - page : 0;
  // A list whose cursor is the first line that is seen; only the wheel moves that by itself.
  ListPlace place{.cursor = top, .top = top};
  if (!place.move(key, lines, page)) return false;
  bool is_wheel = key.code == Key::wheel_up || key.code == Key::wheel_down;
  top = std::min(is_wheel ? place.top : place.cursor, last_top);
  return true;
}

std::vector<std::string> wrapped(std::string_view text, int width) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    wrap_line(text.substr(0, end), std::max(width, 1), lines);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string put_text(Frame& frame, int y, int end, const TextPane& pane, const std::vector<std::string>& lines) {
  size_t page = static_cast<size_t>(std::max(end - y, 1));
  // The window may have grown, or the text become shorter.
  size_t top = std::min(pane.top, lines.size() > page ? lines.size() - page : 0);
  for (size_t i = top; i < std::min(top + page, lines.size()); ++i) frame.put(0, y + static_cast<int>(i - top), lines[i]);
  return position({.cursor = top, .top = top}, lines.size(), page);
}

}  // namespace kache
