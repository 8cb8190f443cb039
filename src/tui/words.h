// Numbers and names as screens write them.
#pragma once

#include <cstdint>
#include <string>

namespace kache {

// "340ms", "5.2s", "2m03s"
std::string short_ms(uint64_t ms);
// "12s", "5m", "3h", "14d": how long ago that was.
std::string short_age(int64_t then_ns, int64_t now_ns);
// "12:03:59", of UTC as all times that are logged.
std::string clock_of(int64_t ns);
// "91.3%"; "-" of nothing.
std::string share(uint64_t part, uint64_t whole);
// Below `dir` relative ("." for itself), else as it is.
std::string shown_path(const std::string& path, const std::string& dir);
// "1 directory", "2 directories"
std::string counted(uint64_t n, const char* one, const char* many);

}  // namespace kache
