#include "tui/line_edit.h"

#include <algorithm>

namespace kache {
namespace {

bool is_inside(const std::string& text, size_t at) { return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; }

size_t before(const std::string& text, size_t at) {
  if (at > 0) --at;
  while (at > 0 && is_inside(text, at)) --at;
  return at;
}

size_t after(const std::string& text, size_t at) {
  if (at < text.size()) ++at;
  while (is_inside(text, at)) ++at;
  return at;
}

}  // namespace

bool LineEdit::press(const Key& key) {
  switch (key.code) {
    case Key::text:
      text.insert(caret, key.typed);
      caret += key.typed.size();
      return true;
    case Key::backspace: {
      size_t start = before(text, caret);
      text.erase(start, caret - start);
      caret = start;
      return true;
    }
    case Key::del: text.erase(caret, after(text, caret) - caret); return true;
    case Key::left: caret = before(text, caret); return true;
    case Key::right: caret = after(text, caret); return true;
    case Key::home: caret = 0; return true;
    case Key::end: caret = text.size(); return true;
    default: return false;
  }
}

void put_edit(Frame& frame, int x, int y, int room, const LineEdit& edit) {
  room = std::min(room, frame.width() - x);
  if (room < 2 || y < 0 || y >= frame.height()) return;
  std::string head = cut_to_width(edit.text.substr(0, edit.caret), room - 1, true);
  int caret = frame.put(x, y, head, Style::accent);
  frame.put(caret, y, cut_to_width(edit.text.substr(edit.caret), x + room - caret), Style::accent);
  frame.reverse(y, caret, caret + 1);
}

}  // namespace kache
