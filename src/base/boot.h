// Boot: which run of the kernel this is.
//
// Nothing here is synced to the disk as it is written, so what another boot wrote may be there by name, size and time and
// have lost its content when the power went. And what stat says (a device number) means the same thing in one boot only.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/file_system.h"

namespace kache {

struct BootId {
  std::array<uint8_t, 16> bytes{};  // all zero: not known

  bool is_known() const { return bytes != decltype(bytes){}; }
};

// False where one of them is not known: such an id is that of no other boot, and not of this one either.
inline bool same_boot(const BootId& a, const BootId& b) { return a.is_known() && a.bytes == b.bytes; }

// As the kernel says it ("01234567-89ab-…" in /proc); not known where it does not. Read it once per process.
BootId read_boot_id(FileSystem& fs);

// 32 hexadecimal digits with dashes anywhere between them; all else is not known.
BootId parse_boot_id(std::string_view text);

inline constexpr const char* kBootIdPath = "/proc/sys/kernel/random/boot_id";

}  // namespace kache
