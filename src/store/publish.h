// Publish: a small file of the store gets its name when it is whole.
#pragma once

#include <string>
#include <string_view>

#include "base/file_system.h"
#include "store/entry.h"
#include "store/layout.h"
#include "store/traces.h"

namespace kache {

// Each is written below v1/tmp and renamed; readers see the old one or the new one. On failure nothing is left behind.
Status publish_entry(FileSystem& fs, const StoreLayout& layout, const Entry& entry);
Status publish_traces(FileSystem& fs, const StoreLayout& layout, const Traces& traces);

// rename below a two-digit directory that may not exist yet.
Status rename_into_shard(FileSystem& fs, const std::string& temporary, const std::string& path);

}  // namespace kache
