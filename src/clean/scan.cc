#include "clean/scan.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include <algorithm>

#include "base/path.h"
#include "clean/directory.h"
#include "clean/measure.h"
#include "clean/recognise.h"

namespace kache {
namespace {

class Scan {
 public:
  explicit Scan(const ScanRequest& request) : request_(request) {}

  void walk(Directory& dir, uint64_t dev, bool beside_manifest) {
    if (request_.stop && *request_.stop) return;
    Result<std::vector<DirEntry>> entries = dir.list();
    if (!entries.ok()) return unreadable(entries.error());
    if (std::optional<RecognisedDir> found = recognise_build_dir(dir, *entries, beside_manifest)) {
      add(dir, *found);
      if (!found->holds_projects) return;
    }
    bool has_manifest = has_entry(*entries, "Cargo.toml", DirEntry::regular);
    for (const DirEntry& entry : *entries) {
      if (entry.type != DirEntry::dir || entry.name.starts_with('.') || entry.name == "node_modules") continue;
      Result<struct stat> st = dir.stat_of(entry.name);
      if (!st.ok() || st->st_dev != dev) continue;
      Result<Directory> below = Directory::open_at(dir.fd(), entry.name, dir.path_of(entry.name));
      if (below.ok()) walk(*below, dev, has_manifest);
      else if (below.code() != ErrorCode::not_found) unreadable(below.error());
    }
  }

  ScanResult result;

 private:
  void unreadable(const Error& error) { result.unreadable.push_back(error.message); }

  void add(Directory& dir, const RecognisedDir& found) {
    Result<struct stat> st = dir.stat();
    if (!st.ok()) return;
    BuildDir row;
    row.path = dir.path();
    row.kind = found.kind;
    row.dev = st->st_dev;
    row.ino = st->st_ino;
    row.obstacle = found.obstacle;
    row.labels = found.labels;
    if (row.obstacle.empty() && is_below(request_.store, row.path)) row.obstacle = "kache's store is in it";
    for (const BuildDir& known : result.dirs) {
      if (known.dev == row.dev && known.ino == row.ino) return;  // two roots lead to it
    }
    // The sources of an in-source build are nobody's garbage, and their size is of no interest.
    if (!found.holds_projects) measure_build_dir(dir, row, request_.stop);
    if (request_.on_found) request_.on_found(row);
    result.dirs.push_back(std::move(row));
  }

  const ScanRequest& request_;
};

}  // namespace

Result<ScanResult> find_build_dirs(const ScanRequest& request) {
  Scan scan(request);
  for (const std::string& root : request.roots) {
    char real[PATH_MAX];
    if (!::realpath(root.c_str(), real)) return error_from_errno(errno, root);
    Directory dir = KACHE_TRY(Directory::open(real));
    struct stat st = KACHE_TRY(dir.stat());
    Result<Directory> above = Directory::open(std::string(dir_name(dir.path())));
    Result<struct stat> manifest = above.ok() ? above->stat_of("Cargo.toml") : Result<struct stat>(above.error());
    scan.walk(dir, st.st_dev, manifest.ok() && S_ISREG(manifest->st_mode));
  }
  sort_dirs(scan.result.dirs, CleanOrder::size);
  return std::move(scan.result);
}

}  // namespace kache
