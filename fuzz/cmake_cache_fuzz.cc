// Any text as a CMakeCache.txt.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "clean/recognise.h"

using namespace kache;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view cache(reinterpret_cast<const char*>(data), size);
  std::string value = cmake_cache_value(cache, "CMAKE_HOME_DIRECTORY");
  if (cache.find(value) == std::string_view::npos || value.find('\n') != std::string::npos) std::abort();
  return 0;
}
