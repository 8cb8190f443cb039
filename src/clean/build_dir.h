// A directory that a build system filled and can fill again, as the scan found it. Plain values; nothing here touches the disk.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace kache {

enum class BuildKind : uint8_t { cargo, cmake, meson };

// What the bytes are. The first four and `binaries` are cargo's; `objects` are those of CMake and Meson.
enum class Part : uint8_t { incremental, build_scripts, deps, fingerprint, binaries, objects, other };
inline constexpr size_t kParts = 7;

const char* kind_name(BuildKind kind);
const char* part_name(Part part);

// A file of the directory that has other names outside of it.
struct LinkedFile {
  uint64_t dev = 0, ino = 0;
  uint64_t links = 0;  // all there are
  uint64_t found = 0;  // inside
  uint64_t bytes = 0;  // that come back with the last of them
};

struct BuildDir {
  std::string path;  // absolute, without symlinks
  BuildKind kind = BuildKind::cargo;
  uint64_t dev = 0, ino = 0;  // what it was when it was looked at
  std::string obstacle;       // why it is not to be removed; "": it can be

  uint64_t total = 0;   // as `ls` shows them, each file once
  uint64_t cached = 0;  // of it: files that share their bytes with something outside
  uint64_t frees = 0;   // what the disk gets back when this directory goes alone
  std::array<uint64_t, kParts> parts = {};        // of total
  std::array<uint64_t, kParts> parts_freed = {};  // of frees, files only
  std::vector<LinkedFile> linked;

  int64_t newest_ns = 0;               // when something in it was last written
  std::vector<std::string> labels;     // "debug", "x86_64-unknown-linux-musl/release"; of CMake its build type
  std::vector<std::string> locks;      // below it: what cargo holds while it builds

  bool is_removable() const { return obstacle.empty(); }
  uint64_t part(Part which) const { return parts[static_cast<size_t>(which)]; }
};

struct Estimate {
  uint64_t count = 0, total = 0, cached = 0;
  uint64_t frees = 0;  // files whose names are all in the chosen directories included

  // Bytes that `ls` shows and the disk does not get back.
  uint64_t kept() const { return total > frees ? total - frees : 0; }
};

// What removing these would bring. `chosen` has one entry for each directory.
Estimate estimate(const std::vector<BuildDir>& dirs, const std::vector<bool>& chosen);

enum class CleanOrder : uint8_t { size, path, age };
void sort_dirs(std::vector<BuildDir>& dirs, CleanOrder order);

}  // namespace kache
