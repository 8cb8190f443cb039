#include "store/publish.h"

#include "base/path.h"

namespace kache {
namespace {

Status publish(FileSystem& fs, const std::string& temporary, const std::string& path, std::string_view bytes) {
  KACHE_TRY(fs.create(temporary, bytes, 0600));
  Status placed = rename_into_shard(fs, temporary, path);
  if (!placed.ok()) (void)fs.unlink(temporary);
  return placed;
}

}  // namespace

Status rename_into_shard(FileSystem& fs, const std::string& temporary, const std::string& path) {
  Status renamed = fs.rename(temporary, path);
  if (renamed.ok() || renamed.code() != ErrorCode::not_found) return renamed;
  Status made = fs.make_dir(std::string(dir_name(path)), 0700);
  if (!made.ok() && made.code() != ErrorCode::exists) return made;
  return fs.rename(temporary, path);
}

Status publish_entry(FileSystem& fs, const StoreLayout& layout, const Entry& entry) {
  return publish(fs, temporary_beside(layout.temporary() + "/entry"), layout.entry(entry.key), encode_entry(entry));
}

Status publish_traces(FileSystem& fs, const StoreLayout& layout, const Traces& traces) {
  return publish(fs, temporary_beside(layout.temporary() + "/trace"), layout.trace(traces.key), encode_traces(traces));
}

}  // namespace kache
