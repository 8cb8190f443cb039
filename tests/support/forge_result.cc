// forge_result CACHE_DIR UNIT FILE: the first output of that unit's results is FILE from now on, in a store that is whole and
// sound all the same: what somebody makes of a result who may write to a remote and lies.
#include <cstdio>

#include "base/path.h"
#include "store/blob.h"
#include "store/publish.h"

using namespace kache;

namespace {

Status forge(FileSystem& fs, const StoreLayout& layout, const std::string& unit, const std::string& file) {
  BlobStore blobs(fs, layout, read_boot_id(fs));
  size_t forged = 0;
  for (const DirEntry& shard : KACHE_TRY(fs.list(layout.entries()))) {
    std::string dir = join_path(layout.entries(), shard.name);
    for (const DirEntry& name : KACHE_TRY(fs.list(dir))) {
      std::string bytes = KACHE_TRY(read_file(fs, join_path(dir, name.name), kMaxEntrySize));
      Entry entry = KACHE_TRY(decode_any_entry(bytes));
      if (entry.crate_name != unit || entry.outputs.empty()) continue;
      Blob blob = KACHE_TRY(blobs.put(file, false));
      entry.outputs.front().blob = blob.id;
      entry.outputs.front().size = blob.size;
      KACHE_TRY(publish_entry(fs, layout, entry));
      ++forged;
    }
  }
  if (forged == 0) return Error{ErrorCode::not_found, 0, "no result of " + unit};
  return Ok{};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: forge_result CACHE_DIR UNIT FILE\n"), 2;
  Status done = forge(posix_file_system(), StoreLayout(argv[1]), argv[2], argv[3]);
  if (!done.ok()) return std::fprintf(stderr, "forge_result: %s\n", done.error().message.c_str()), 1;
  return 0;
}
