// What a WebDAV server says to PROPFIND with Depth: 1: the names directly below a collection.
//
// Input from outside: bounded, and no path of it is used; a name is its last component.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kache {

struct DavEntry {
  std::string name;  // one decoded component: never empty, without slashes, not "." and not ".."
  bool is_collection = false;
  uint64_t size = 0;
  int64_t modified_ns = 0;
};

// `path` is that of the collection that was asked for, "/cache/k1/blobs/" (percent-encoded or not); itself and what does not
// lie directly below it is passed over. `corrupt` for what is no multistatus.
Result<std::vector<DavEntry>> parse_multistatus(std::string_view xml, std::string_view path);

}  // namespace kache
