#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>

#include <algorithm>
#include <iterator>

#include "clean/extents.h"

namespace kache {

bool may_share_extents(int dir) {
  // They know FIEMAP, and no reflinks.
  static constexpr unsigned long kWithout[] = {EXT4_SUPER_MAGIC, TMPFS_MAGIC, RAMFS_MAGIC};
  struct statfs info;
  if (::fstatfs(dir, &info) != 0) return true;
  return std::find(std::begin(kWithout), std::end(kWithout), static_cast<unsigned long>(info.f_type)) == std::end(kWithout);
}

uint64_t shared_extent_bytes(int file) {
  constexpr uint32_t kBatch = 128;
  alignas(fiemap) char buffer[sizeof(fiemap) + kBatch * sizeof(fiemap_extent)];
  uint64_t shared = 0, start = 0;
  for (;;) {
    ::memset(buffer, 0, sizeof buffer);
    auto* map = reinterpret_cast<fiemap*>(buffer);
    map->fm_start = start;
    map->fm_length = FIEMAP_MAX_OFFSET - start;
    map->fm_extent_count = kBatch;
    if (::ioctl(file, FS_IOC_FIEMAP, map) != 0 || map->fm_mapped_extents == 0) return shared;
    const fiemap_extent* extents = map->fm_extents;
    uint32_t count = std::min(map->fm_mapped_extents, kBatch);
    for (uint32_t i = 0; i < count; ++i) {
      if (extents[i].fe_flags & FIEMAP_EXTENT_SHARED) shared += extents[i].fe_length;
    }
    const fiemap_extent& last = extents[count - 1];
    if ((last.fe_flags & FIEMAP_EXTENT_LAST) || last.fe_logical + last.fe_length <= start) return shared;
    start = last.fe_logical + last.fe_length;
  }
}

}  // namespace kache
