#include "store/blob.h"

#include "store/memo.h"
#include "store/publish.h"

namespace kache {

Result<Digest> digest_file(FileSystem& fs, int handle) {
  Hasher hasher;
  std::string buffer(256 << 10, '\0');
  uint64_t offset = 0;
  for (;;) {
    size_t got = KACHE_TRY(fs.read_at(handle, offset, buffer.data(), buffer.size()));
    if (got == 0) return hasher.finish();
    hasher.update_raw(buffer.data(), got);
    offset += got;
  }
}

// A file of ours with the content of `path`, in the store's temporary directory: shared storage where that works.
Result<std::string> BlobStore::take_copy(const std::string& path, bool may_link, Sharing& sharing) {
  std::string temporary = temporary_beside(layout_.temporary() + "/blob");
  File source = KACHE_TRY(open_file(fs_, path));
  FileStat from = KACHE_TRY(fs_.stat_handle(source.handle()));
  if (!from.is_regular()) return Error{ErrorCode::unsupported, 0, path + ": not a regular file"};
  FileStat to = KACHE_TRY(fs_.stat(layout_.temporary()));
  if (capabilities_.may_reflink(from.dev, to.dev)) {
    Status cloned = fs_.clone(source.handle(), temporary, 0600);
    sharing = Sharing::reflinked;
    if (cloned.ok()) return temporary;
    if (cloned.code() == ErrorCode::unsupported) capabilities_.note_no_reflink(from.dev, to.dev);
    else if (cloned.code() == ErrorCode::no_space) return std::move(cloned).error();
  }
  sharing = Sharing::hardlinked;
  if (may_link && from.dev == to.dev && fs_.link(path, temporary).ok()) return temporary;
  sharing = Sharing::copied;
  KACHE_TRY(fs_.copy(source.handle(), temporary, 0600));
  return temporary;
}

Status BlobStore::place(const std::string& temporary, const BlobId& id) {
  KACHE_TRY(fs_.set_mode(temporary, 0444));
  KACHE_TRY(fs_.set_mtime(temporary, seal_mtime(id.digest)));
  return rename_into_shard(fs_, temporary, layout_.blob(id));
}

// True when the blob is there with these very bytes, and GC has been told to leave it: the new mode moves its ctime.
bool BlobStore::reuse(const Blob& blob, Memo* memo) {
  Result<File> file = open_file(fs_, layout_.blob(blob.id));
  if (!file.ok()) return false;
  Result<FileStat> stat = fs_.stat_handle(file->handle());
  if (!stat.ok() || stat->size != blob.size || !is_sealed(*stat, blob.id.digest)) return false;
  if (!fs_.set_mode(layout_.blob(blob.id), 0444).ok()) return false;
  Digest known;
  bool is_known = memo && memo->find(*stat, 0, &known) && known == blob.id.digest;
  Result<Digest> digest = is_known ? Result<Digest>(known) : digest_file(fs_, file->handle());
  if (!digest.ok() || *digest != blob.id.digest) return false;
  // GC may have looked just before it was told. And a write while it was read would have broken the seal.
  stat = fs_.stat_handle(file->handle());
  if (!stat.ok() || stat->nlink == 0 || stat->size != blob.size || !is_sealed(*stat, blob.id.digest)) return false;
  if (memo) memo->insert(*stat, 0, blob.id.digest);  // also what was known: the mode has moved its ctime
  return true;
}

Status BlobStore::adopt(const std::string& temporary, const BlobId& id, Memo* memo) {
  KACHE_TRY(place(temporary, id));
  if (!memo) return Ok{};
  Result<FileStat> stat = fs_.stat(layout_.blob(id));
  if (stat.ok() && is_sealed(*stat, id.digest)) memo->insert(*stat, 0, id.digest);
  return Ok{};
}

Result<Blob> BlobStore::put(const std::string& path, bool may_link) {
  // The digest is taken of the copy, not of the original: what is stored is what was hashed.
  Sharing sharing = Sharing::copied;
  std::string temporary = KACHE_TRY(take_copy(path, may_link, sharing));
  auto digest = [&]() -> Result<Blob> {
    File file = KACHE_TRY(open_file(fs_, temporary));
    FileStat stat = KACHE_TRY(fs_.stat_handle(file.handle()));
    return Blob{{KACHE_TRY(digest_file(fs_, file.handle()))}, stat.size, sharing, false};
  };
  Result<Blob> blob = digest();
  if (!blob.ok()) {
    (void)fs_.unlink(temporary);
    return blob;
  }
  if (reuse(*blob, nullptr)) {
    (void)fs_.unlink(temporary);
    return blob;
  }
  Status placed = place(temporary, blob->id);
  if (!placed.ok()) {
    (void)fs_.unlink(temporary);
    return std::move(placed).error();
  }
  blob->is_new = true;
  return blob;
}

Result<File> BlobStore::open(const BlobId& id, uint64_t size, bool verify_content) {
  std::string path = layout_.blob(id);
  File file = KACHE_TRY(open_file(fs_, path));
  FileStat stat = KACHE_TRY(fs_.stat_handle(file.handle()));
  bool good = stat.is_regular() && stat.size == size && is_sealed(stat, id.digest);
  if (good && verify_content) good = KACHE_TRY(digest_file(fs_, file.handle())) == id.digest;
  if (good) return file;
  (void)fs_.rename(path, layout_.quarantine() + "/" + id.hex());
  return Error{ErrorCode::corrupt, 0, "blob " + id.hex().substr(0, 12) + " was changed behind the store's back"};
}

}  // namespace kache
