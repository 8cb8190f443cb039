// What a listing of a directory says of an entry.
#pragma once

#include <dirent.h>

#include "base/file_system.h"

namespace kache {

inline DirEntry::Type type_of(unsigned char d_type) {
  switch (d_type) {
    case DT_REG: return DirEntry::regular;
    case DT_DIR: return DirEntry::dir;
    case DT_LNK: return DirEntry::symlink;
    case DT_UNKNOWN: return DirEntry::unknown;
    default: return DirEntry::other;
  }
}

}  // namespace kache
