// The version that goes first into every key. Raise it when the meaning of any keyed thing changes: old entries are then
// never found again, which is always safe.
#pragma once

#include <cstdint>

namespace kache {

inline constexpr uint64_t kKeySchema = 3;

}  // namespace kache
