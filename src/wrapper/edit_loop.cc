#include "wrapper/edit_loop.h"

namespace kache {

bool note_miss_in_loop(FileSystem& fs, Clock& clock, const StoreLayout& layout, const InvocationKey& key,
                       const std::string& output_dir) {
  std::string name = Hasher().field("key", key.digest).field("dir", output_dir).finish().hex();
  std::string path = layout.edit_states() + "/" + name.substr(0, 32);
  Result<FileStat> last = fs.stat(path);
  if (last.ok()) (void)fs.touch(path);
  else (void)fs.append(path, "");
  return last.ok() && clock.wall_ns() - last->mtime_ns < kLoopMemoryNs;
}

}  // namespace kache
