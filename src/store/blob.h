// Blobs: file content by its digest. 0444, and the mtime is the seal (memo.h).
//
// Taking a file in never changes its content; where it is taken in by hard link the compiler's own file becomes
// read-only and gets the seal. Safe against crashes at any point and against others doing the same.
#pragma once

#include <string>

#include "base/digest.h"
#include "base/file_system.h"
#include "store/capabilities.h"
#include "store/layout.h"

namespace kache {

class Memo;

enum class Sharing : uint8_t { copied, reflinked, hardlinked };

struct Blob {
  BlobId id;
  uint64_t size = 0;
  Sharing sharing = Sharing::copied;  // how the bytes came, if they are new
  bool is_new = false;  // its bytes were added to the disk
};

class BlobStore {
 public:
  BlobStore(FileSystem& fs, const StoreLayout& layout, const BootId& boot)
      : fs_(fs), layout_(layout), capabilities_(fs, layout.capabilities(), boot) {}

  // `may_link`: the file may become one inode with the blob (an rlib that comes with its rmeta). A blob that is there
  // already is read before it is relied on: it may be of a boot that did not end well.
  Result<Blob> put(const std::string& path, bool may_link);

  // Opens a blob and checks size and seal. A broken one is moved away (quarantine) and `corrupt` is returned.
  Result<File> open(const BlobId& id, uint64_t size, bool verify_content);

  // For content that comes from elsewhere. True when the blob is there, with these very bytes, and stays. A blob that was read or
  // written in this boot is in the memo, and not read again while its identity and its seal are the same.
  bool has(const BlobId& id, uint64_t size, Memo* memo = nullptr) { return reuse({id, size}, memo); }
  // Takes a file in the store's temporary directory as the blob. REQUIRES: its bytes were digested by the caller.
  Status adopt(const std::string& temporary, const BlobId& id, Memo* memo = nullptr);

  Capabilities& capabilities() { return capabilities_; }
  const StoreLayout& layout() const { return layout_; }

 private:
  Result<std::string> take_copy(const std::string& path, bool may_link, Sharing& sharing);
  bool reuse(const Blob& blob, Memo* memo);
  Status place(const std::string& temporary, const BlobId& id);
  FileSystem& fs_;
  const StoreLayout& layout_;
  Capabilities capabilities_;
};

Result<Digest> digest_file(FileSystem& fs, int handle);

}  // namespace kache
