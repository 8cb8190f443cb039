#include "wrapper/serve.h"

#include "store/publish.h"

namespace kache {

Result<Served> serve_entry(FileSystem& fs, Clock& clock, BlobStore& blobs, Memo& memo, const RestoreRequest& request) {
  const StoreLayout& layout = blobs.layout();
  const Entry& entry = request.entry;
  Served served;
  served.was_verified = !is_certain(fs, layout, entry.stamp, memo.boot());
  RestoreRequest careful = request;
  careful.verify_content |= served.was_verified;
  served.restored = KACHE_TRY(restore_outputs(fs, blobs, memo, careful));
  if (served.was_verified || entry.origin == EntryOrigin::ahead) {
    Entry renewed = entry;
    renewed.stamp = stamp_now(clock, memo.boot());
    if (renewed.origin == EntryOrigin::ahead) renewed.origin = EntryOrigin::fetched;
    (void)publish_entry(fs, layout, renewed);  // else it is read again next time
  } else {
    (void)fs.touch(layout.entry(entry.key));  // its mtime is the time of the last use
  }
  return served;
}

}  // namespace kache
