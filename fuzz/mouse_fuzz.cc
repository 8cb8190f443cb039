// Any bytes as a report of the mouse: no cell lies outside of what a terminal can have.
#include <cstdint>
#include <cstdlib>

#include "tui/mouse.h"

using namespace kache;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Key key = parse_mouse({reinterpret_cast<const char*>(data), size});
  if (key.x < 0 || key.y < 0 || key.x > 9999 || key.y > 9999) std::abort();
  if (size < 3) return 0;
  key = parse_old_mouse(data[0], data[1], data[2]);
  if (key.x < 0 || key.y < 0 || key.x > 255 || key.y > 255) std::abort();
  return 0;
}
