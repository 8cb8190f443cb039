// Lengths of time as people write them: "45s", "1.5h", "1h30m", "2w", "250ms".
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace kache {

// In nanoseconds; at least 0. A bare number is in units of `bare_ns`.
Result<int64_t> parse_duration(std::string_view text, int64_t bare_ns);

}  // namespace kache
