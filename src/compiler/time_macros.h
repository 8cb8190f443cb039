// Does a text ask the preprocessor for the time? Finds __DATE__, __TIME__ and __TIMESTAMP__ outside of comments and literals.
// A name made by pasting is not found; both compilers need the whole name somewhere to make it useful.
#pragma once

#include <string_view>

namespace kache {

struct TimeUse {
  bool clock = false;  // __DATE__ or __TIME__
  bool file = false;   // __TIMESTAMP__: the time of the file that it stands in
};

TimeUse find_time_macros(std::string_view source);

}  // namespace kache
