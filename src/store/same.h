// Same: files that a compiler makes otherwise each time (precompiled headers, module interfaces), and that are as good as each
// other when they were made of the same inputs. Whoever reads one depends on what it was made of, not on its bytes.
//
// v1/same/ab/<digest of the bytes>: what they were made of. Written when such a file is stored, looked up when one is read.
#pragma once

#include <string_view>

#include "base/digest.h"
#include "base/file_system.h"
#include "store/layout.h"

namespace kache {

// By its name: .gch .pch .gcm .pcm .ifc.
bool is_remade_otherwise(std::string_view path);

// What stands for the content in a key: the recorded origin, else `content` itself.
Digest origin_of(FileSystem& fs, const StoreLayout& layout, const Digest& content);
Status note_origin(FileSystem& fs, const StoreLayout& layout, const Digest& content, const Digest& origin);

}  // namespace kache
