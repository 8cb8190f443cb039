// What a program of the C world is, by its name alone. Looks at no disk and starts nothing.
#pragma once

#include <cstdint>
#include <string_view>

namespace kache {

enum class CcTool : uint8_t {
  none,      // a name that says nothing of the kind
  gcc,       // gcc, g++, with target, version and flavour: x86_64-w64-mingw32-g++-posix, gcc-13
  clang,     // clang, clang++, zigcc and what else is clang under another name
  clang_cl,  // clang that speaks as Microsoft's cl does
  generic,   // cc, c++, c99: which one it is, its symlink tells
  archiver,  // ar, gcc-ar, llvm-ar-14
  ranlib,
  foreign,   // a compiler that is known and can not be cached: it is run as asked, with that reason
};

struct CcName {
  CcTool tool = CcTool::none;
  bool is_cxx = false;
};

// The last component of `path` counts; ".exe" is taken off.
CcName cc_name(std::string_view path);

}  // namespace kache
