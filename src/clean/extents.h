// Which bytes of a file exist once on the disk and have several owners.
#pragma once

#include <cstdint>

namespace kache {

// False where files can not share extents, so that they need not be opened and asked.
bool may_share_extents(int dir);
// Bytes of the open file whose extents another file has too; 0 where the file system does not say.
uint64_t shared_extent_bytes(int file);

}  // namespace kache
