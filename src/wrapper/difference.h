// What differed from the nearest stored result, in the words of an event (`miss_reason`): written by the wrapper, read back by
// reports. Both know the words from here.
#pragma once

#include <string>
#include <string_view>

#include "store/verify.h"

namespace kache {

// "file", "new file", …
std::string_view noun_of(Difference::Kind kind);

// "variable CFLAGS"
std::string describe(const Difference& difference);
// The other way round; `none` where it is no such text.
Difference parse_difference(std::string_view text);

}  // namespace kache
