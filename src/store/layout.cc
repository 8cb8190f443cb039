#include "store/layout.h"

namespace kache {

Status prepare_store(FileSystem& fs, const StoreLayout& layout) {
  // The tag that backup programs look for (the Cache Directory Tagging convention).
  static constexpr std::string_view kTag =
      "Signature: 8a477f597d28d172789f06886806bc55\n# This directory is a cache made by kache.\n";
  if (fs.stat(layout.temporary()).ok()) return Ok{};
  KACHE_TRY(make_dirs(fs, layout.v1(), 0700));
  for (const std::string& dir : {layout.blobs(), layout.entries(), layout.traces(), layout.toolchains(),
                                 layout.edit_states(), layout.quarantine(), layout.locks(), layout.origins()}) {
    KACHE_TRY(make_dirs(fs, dir, 0700));
  }
  Status tagged = fs.create(layout.root() + "/CACHEDIR.TAG", kTag, 0644);
  if (!tagged.ok() && tagged.code() != ErrorCode::exists) return tagged;
  return make_dirs(fs, layout.temporary(), 0700);  // last: its presence says that the others are there
}

}  // namespace kache
