// as_after_reboot CACHE_DIR: makes a store look as if all of it had been written in another boot, and nothing synced since.
// The product has no way to be told which boot this is; so the files are changed instead.
#include <cstdio>

#include "base/path.h"
#include "store/entry.h"
#include "store/layout.h"

using namespace kache;

namespace {

Status age_entry(FileSystem& fs, const std::string& path, const BootId& other) {
  std::string bytes = KACHE_TRY(read_file(fs, path, kMaxEntrySize));
  Entry entry = KACHE_TRY(decode_any_entry(bytes));
  entry.stamp.boot = other;
  return replace_file(fs, path, encode_entry(entry), 0600);
}

Status age_store(FileSystem& fs, const StoreLayout& layout) {
  BootId other = parse_boot_id("deadbeef-dead-beef-dead-beefdeadbeef");
  for (const DirEntry& shard : KACHE_TRY(fs.list(layout.entries()))) {
    std::string dir = join_path(layout.entries(), shard.name);
    for (const DirEntry& file : KACHE_TRY(fs.list(dir))) KACHE_TRY(age_entry(fs, join_path(dir, file.name), other));
  }
  // What these say is believed in the boot that wrote them only; as good as absent.
  (void)fs.unlink(layout.memo());
  (void)fs.unlink(layout.capabilities());
  (void)fs.unlink(layout.sync_mark());
  for (const DirEntry& file : KACHE_TRY(fs.list(layout.toolchains()))) (void)fs.unlink(join_path(layout.toolchains(), file.name));
  return Ok{};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: as_after_reboot CACHE_DIR\n"), 2;
  Status done = age_store(posix_file_system(), StoreLayout(argv[1]));
  if (!done.ok()) return std::fprintf(stderr, "as_after_reboot: %s\n", done.error().message.c_str()), 1;
  return 0;
}
