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

// Reads the traces of an invocation (empty ones where there are none), lets `change` have them, and publishes them when it
// returns true. One at a time: no change is lost to another one.
template <typename Change>
Status update_traces(FileSystem& fs, const StoreLayout& layout, const InvocationKey& key, Change change) {
  // Without the lock a change may be lost, which costs a compile; not making it costs one for sure.
  Result<File> lock = lock_file(fs, layout.trace_lock(key), LockMode::exclusive);
  Traces traces;
  Result<std::string> bytes = read_file(fs, layout.trace(key), kMaxTracesSize);
  if (bytes.ok()) {
    Result<Traces> old = decode_traces(*bytes, key);
    if (old.ok()) traces = std::move(old).value();
  }
  traces.key = key;
  if (!change(traces)) return Ok{};
  return publish_traces(fs, layout, traces);
}

// rename below a two-digit directory that may not exist yet.
Status rename_into_shard(FileSystem& fs, const std::string& temporary, const std::string& path);

}  // namespace kache
