#include "wrapper/incremental.h"

#include <algorithm>
#include <vector>

#include "base/path.h"

namespace kache {
namespace {

void remove_tree(FileSystem& fs, const std::string& dir) {
  Result<std::vector<DirEntry>> entries = fs.list(dir);
  if (!entries.ok()) return;
  for (const DirEntry& entry : *entries) {
    std::string path = join_path(dir, entry.name);
    Result<FileStat> stat = fs.lstat(path);
    if (stat.ok() && stat->is_dir()) remove_tree(fs, path);
    else (void)fs.unlink(path);
  }
  (void)fs.remove_dir(dir);
}

// rustc holds <session>.lock with flock for as long as it works in the session (rustc_incremental's fs.rs). The locks are
// kept until the directory is gone.
bool lock_sessions(FileSystem& fs, const std::string& dir, std::vector<File>& locks) {
  Result<std::vector<DirEntry>> entries = fs.list(dir);
  if (!entries.ok()) return false;
  for (const DirEntry& entry : *entries) {
    if (!entry.name.ends_with(".lock")) continue;
    Result<File> lock = lock_file(fs, join_path(dir, entry.name), LockMode::try_exclusive);
    if (!lock.ok()) return false;
    locks.push_back(std::move(lock).value());
  }
  return true;
}

}  // namespace

void clean_incremental(FileSystem& fs, const Invocation& invocation, const std::string& cwd) {
  if (!invocation.incremental_dir) return;
  std::string root = absolute_path(cwd, *invocation.incremental_dir);
  Result<std::vector<DirEntry>> entries = fs.list(root);
  if (!entries.ok()) return;
  std::string prefix = invocation.crate_name + "-";
  for (const DirEntry& entry : *entries) {
    // "<crate>-<hash in base 36>"
    std::string_view rest = std::string_view(entry.name).substr(std::min(prefix.size(), entry.name.size()));
    bool is_crate = entry.name.starts_with(prefix) && !rest.empty() &&
                    rest.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz") == std::string_view::npos;
    if (!is_crate) continue;
    std::string dir = join_path(root, entry.name);
    std::vector<File> locks;
    if (lock_sessions(fs, dir, locks)) remove_tree(fs, dir);
  }
}

}  // namespace kache
