#include "wrapper/extra_inputs.h"

#include <algorithm>

#include "base/glob.h"
#include "base/path.h"
#include "config/config.h"

namespace kache {
namespace {

constexpr size_t kMostFiles = 100'000;  // a pattern that runs away must not read the whole disk

Status collect(FileSystem& fs, const std::string& root, const std::string& below,
               const std::vector<std::string>& patterns, std::vector<std::string>& found) {
  std::vector<DirEntry> entries = KACHE_TRY(fs.list(join_path(root, below)));
  for (const DirEntry& entry : entries) {
    std::string relative = join_path(below, entry.name);
    bool is_dir = entry.type == DirEntry::dir;
    if (is_dir) {
      if (entry.name == "target" || entry.name == ".git") continue;
      KACHE_TRY(collect(fs, root, relative, patterns, found));
      continue;
    }
    for (const std::string& pattern : patterns) {
      if (!glob_match(pattern, relative)) continue;
      found.push_back(join_path(root, relative));
      break;
    }
    if (found.size() > kMostFiles) return Error{ErrorCode::too_large, 0, "extra_inputs match too many files"};
  }
  return Ok{};
}

}  // namespace

Result<std::vector<std::string>> find_extra_inputs(FileSystem& fs, const CommandLine& line, const Invocation&,
                                                   const std::string& helper) {
  std::string manifest_dir(line.env.get_or_empty("CARGO_MANIFEST_DIR"));
  std::vector<std::string> found;
  if (manifest_dir.empty()) return found;
  std::vector<std::string> patterns = KACHE_TRY(load_extra_inputs(fs, line.env, manifest_dir, helper));
  if (patterns.empty()) return found;
  KACHE_TRY(collect(fs, manifest_dir, "", patterns, found));
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace kache
