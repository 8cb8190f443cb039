#include "base/boot.h"

namespace kache {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

BootId parse_boot_id(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\0')) text.remove_suffix(1);
  BootId id;
  size_t digits = 0;
  for (char c : text) {
    if (c == '-') continue;
    int value = hex_value(c);
    if (value < 0 || digits == 32) return {};
    id.bytes[digits / 2] = static_cast<uint8_t>(id.bytes[digits / 2] << 4 | value);
    ++digits;
  }
  return digits == 32 ? id : BootId{};
}

BootId read_boot_id(FileSystem& fs) {
  Result<std::string> text = read_file(fs, kBootIdPath, 64);
  return text.ok() ? parse_boot_id(*text) : BootId{};
}

}  // namespace kache
