// How rooted paths stand in the store's files.
#pragma once

#include "base/bytes.h"
#include "base/frame.h"
#include "key/roots.h"

namespace kache {

inline void write_rooted(ByteWriter& out, const RootedPath& path) {
  out.u8(static_cast<uint8_t>(path.root.kind));
  out.u8(path.root.index);
  out.text(path.rest);
}

inline bool valid_root(uint8_t kind) { return kind <= static_cast<uint8_t>(RootKind::project); }

inline RootedPath read_rooted(ByteReader& in) {
  uint8_t kind = in.u8();
  uint8_t index = in.u8();
  if (!valid_root(kind)) in.fail();
  std::string_view rest = in.text();
  return {{static_cast<RootKind>(kind), index}, std::string(rest)};
}

}  // namespace kache
