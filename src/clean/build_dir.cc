#include "clean/build_dir.h"

#include <algorithm>
#include <map>

namespace kache {

const char* kind_name(BuildKind kind) {
  static constexpr const char* kNames[] = {"cargo", "cmake", "meson"};
  return kNames[static_cast<size_t>(kind)];
}

const char* part_name(Part part) {
  static constexpr const char* kNames[kParts] = {"incremental", "build", "deps", "fingerprint", "binaries", "objects", "other"};
  return kNames[static_cast<size_t>(part)];
}

Estimate estimate(const std::vector<BuildDir>& dirs, const std::vector<bool>& chosen) {
  Estimate sum;
  struct Group {
    uint64_t found = 0, bytes = 0;
  };
  std::map<std::pair<uint64_t, uint64_t>, Group> groups;
  for (size_t i = 0; i < dirs.size(); ++i) {
    if (!chosen[i]) continue;
    const BuildDir& dir = dirs[i];
    ++sum.count;
    sum.total += dir.total;
    sum.cached += dir.cached;
    sum.frees += dir.frees;
    for (const LinkedFile& file : dir.linked) {
      Group& group = groups[{file.dev, file.ino}];
      group.found += file.found;
      if (group.found == file.links) sum.frees += file.bytes;
    }
  }
  return sum;
}

void sort_dirs(std::vector<BuildDir>& dirs, CleanOrder order) {
  std::stable_sort(dirs.begin(), dirs.end(), [&](const BuildDir& a, const BuildDir& b) {
    if (order == CleanOrder::size && a.total != b.total) return a.total > b.total;
    if (order == CleanOrder::age && a.newest_ns != b.newest_ns) return a.newest_ns < b.newest_ns;
    return a.path < b.path;
  });
}

}  // namespace kache
