// Serve: an entry whose inputs all hold, put where the invocation wants its outputs, and noted as used.
#pragma once

#include "base/clock.h"
#include "store/restore.h"

namespace kache {

struct Served {
  RestoreReport restored;
  bool was_verified = false;  // the entry was of another boot and is now one of this boot
};

// Blobs that may have lost their content in a crash are read before they are used (store/durability.h). A bad one is
// moved away, nothing is restored, and the compiler has to be run.
Result<Served> serve_entry(FileSystem& fs, Clock& clock, BlobStore& blobs, Memo& memo, const RestoreRequest& request);

}  // namespace kache
