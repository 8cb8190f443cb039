// Depfiles: what gcc and clang write for make under -MD and its like, as structure, and back byte for byte.
//
// Needed because the same result serves other targets and other checkouts: the words before the colon are those of the call
// that is served, paths may be longer or shorter there, and both compilers fold their lines by width. Knows the two layouts
// and their escapes; unaware of roots. Source: GCC's mkdeps.cc and clang's DependencyFile.cpp were read for the widths, and
// the bytes of gcc 12 and clang 14 for all else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kache {

// The numbers are on disk.
enum class DepfileStyle : uint8_t { gcc = 0, clang = 1 };

// -MP: an empty rule for each file but the first (clang: but the source), so that make does not miss what is gone.
enum class PhonyRules : uint8_t { none = 0, tight = 1, spaced = 2 };  // spaced: with an empty line before each

struct Depfile {
  DepfileStyle style = DepfileStyle::gcc;
  PhonyRules phony = PhonyRules::none;
  std::vector<std::string> targets;  // as they stand, escapes and all
  std::vector<std::string> files;    // unescaped
  bool operator==(const Depfile&) const = default;
};

std::string write_depfile(const Depfile& depfile);

// The depfile that write_depfile turns into exactly `bytes`; `unsupported` when there is none.
Result<Depfile> read_depfile(std::string_view bytes);

// A word as make reads it as one: what both compilers do to default targets, to -MQ and to file names.
std::string escape_for_make(std::string_view text);

}  // namespace kache
