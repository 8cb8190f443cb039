// Finds build directories. Dot-directories, node_modules and other file systems are passed over unless they are named; no
// symlink is followed, and nothing is looked for inside of a build directory.
#pragma once

#include <atomic>
#include <functional>

#include "clean/build_dir.h"
#include "base/result.h"

namespace kache {

struct ScanRequest {
  std::vector<std::string> roots;  // absolute
  std::string store;               // kache's own directory: what holds it stays
  const std::atomic<bool>* stop = nullptr;
  std::function<void(const BuildDir&)> on_found = {};
};

struct ScanResult {
  std::vector<BuildDir> dirs;           // the largest first
  std::vector<std::string> unreadable;  // one line each: what could not be looked through
};

// `not_found` or `invalid` when a root is no directory.
Result<ScanResult> find_build_dirs(const ScanRequest& request);

}  // namespace kache
