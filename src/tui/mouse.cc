#include "tui/mouse.h"

#include <charconv>

namespace kache {
namespace {

constexpr int kModifiers = 4 | 8 | 16;  // Shift, Meta, Ctrl
constexpr int kMost = 9999;

// Both from 1.
Key key_of(int button, int x, int y) {
  if (x < 1 || y < 1 || x > kMost || y > kMost) return {};
  Key key;
  key.x = x - 1;
  key.y = y - 1;
  switch (button & ~kModifiers) {
    case 0: key.code = Key::click; break;
    case 64: key.code = Key::wheel_up; break;
    case 65: key.code = Key::wheel_down; break;
    default: return {};
  }
  return key;
}

bool take_number(std::string_view& rest, char end, int& value) {
  auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  size_t length = static_cast<size_t>(stop - rest.data());
  if (error != std::errc() || length == rest.size() || rest[length] != end) return false;
  rest.remove_prefix(length + 1);
  return true;
}

}  // namespace

Key parse_mouse(std::string_view report) {
  int button = 0, x = 0, y = 0;
  // A small m at its end is a release.
  bool is_press = take_number(report, ';', button) && take_number(report, ';', x) && take_number(report, 'M', y) && report.empty();
  return is_press && button >= 0 ? key_of(button, x, y) : Key{};
}

Key parse_old_mouse(unsigned char button, unsigned char x, unsigned char y) {
  return button < 32 ? Key{} : key_of(button - 32, x - 32, y - 32);
}

}  // namespace kache
