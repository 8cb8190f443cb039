// Walking the two levels of blobs/, entries/ and traces/.
#pragma once

#include <string>

#include "base/file_system.h"
#include "base/path.h"

namespace kache {

// each(path, name) for every file, directory by directory; `between` after each directory.
template <typename Each, typename Between>
void each_sharded(FileSystem& fs, const std::string& dir, Each each, Between between) {
  Result<std::vector<DirEntry>> shards = fs.list(dir);
  if (!shards.ok()) return;
  for (const DirEntry& shard : *shards) {
    std::string below = join_path(dir, shard.name);
    Result<std::vector<DirEntry>> files = fs.list(below);
    if (!files.ok()) continue;
    for (const DirEntry& file : *files) each(join_path(below, file.name), file.name);
    between();
  }
}

template <typename Each>
void each_sharded(FileSystem& fs, const std::string& dir, Each each) {
  each_sharded(fs, dir, each, [] {});
}

}  // namespace kache
