#include "clean/measure.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <unordered_map>

#include "clean/extents.h"
#include "clean/recognise.h"

namespace kache {
namespace {

struct NameOfPart {
  std::string_view name;
  Part part;
};
// Below a profile of cargo.
constexpr NameOfPart kCargoParts[] = {{"incremental", Part::incremental}, {"build", Part::build_scripts}, {"deps", Part::deps},
                                      {".fingerprint", Part::fingerprint}, {"examples", Part::binaries}};
// Of CMake and Meson, by the end of the name.
constexpr NameOfPart kEndings[] = {{".o", Part::objects}, {".obj", Part::objects}, {".gch", Part::objects}, {".pch", Part::objects},
                                   {".pcm", Part::objects}, {".dwo", Part::objects}, {".a", Part::binaries}, {".so", Part::binaries}};

uint64_t on_disk(const struct stat& st) { return static_cast<uint64_t>(st.st_blocks) * 512; }

class Measurement {
 public:
  Measurement(Directory& dir, BuildDir& into, const std::atomic<bool>* stop)
      : into_(into), stop_(stop), may_share_(may_share_extents(dir.fd())) {}

  // `where`: relative, "" for the top. `part` is that of everything below, once it is known.
  void walk(Directory& dir, const std::string& where, int depth, bool in_profile, const Part* part) {
    if (stop_ && *stop_) return;
    Result<std::vector<DirEntry>> entries = dir.list();
    if (!entries.ok()) return obstruct("it can not be read: " + entries.error().message);
    // target/debug and target/<triple>/debug
    bool is_cargo = into_.kind == BuildKind::cargo;
    if (is_cargo && !in_profile && !part && depth >= 1 && depth <= 2) {
      std::string_view name = std::string_view(where).substr(where.rfind('/') + 1);
      if (is_profile(name, *entries)) {
        in_profile = true;
        into_.labels.push_back(where);
      }
    }
    for (const DirEntry& entry : *entries) {
      Result<struct stat> st = dir.stat_of(entry.name);
      if (!st.ok()) continue;  // gone meanwhile
      std::string at = where.empty() ? entry.name : where + "/" + entry.name;
      into_.newest_ns = std::max(into_.newest_ns, mtime_ns(*st));
      if (!S_ISDIR(st->st_mode)) {
        if (in_profile && entry.name.starts_with(".cargo-") && entry.name.ends_with("lock")) into_.locks.push_back(at);
        add_file(dir, entry.name, *st, part ? *part : part_of_file(entry.name, *st, in_profile));
        continue;
      }
      if (st->st_dev != into_.dev) {
        obstruct("another file system is mounted in it: " + at);
        continue;
      }
      into_.frees += on_disk(*st);
      Result<Directory> below = Directory::open_at(dir.fd(), entry.name, dir.path_of(entry.name));
      if (!below.ok()) {
        obstruct("it can not be read: " + below.error().message);
        continue;
      }
      Part named = Part::other;
      const Part* theirs = part;
      if (in_profile && !part) {
        for (const NameOfPart& row : kCargoParts) {
          if (row.name == entry.name) named = row.part;
        }
        theirs = &named;
      }
      walk(*below, at, depth + 1, in_profile, theirs);
    }
  }

  void finish() {
    for (const auto& [ino, group] : groups_) {
      into_.total += group.size;
      into_.parts[group.part] += group.size;
      bool is_inside = group.found == group.links;
      if (!is_inside || group.is_shared) into_.cached += group.size;
      if (is_inside) free(group.part, group.bytes);
      else into_.linked.push_back({into_.dev, ino, group.links, group.found, group.bytes});
    }
    std::sort(into_.labels.begin(), into_.labels.end());
  }

 private:
  struct Group {
    uint64_t links = 0, found = 0, size = 0, bytes = 0;
    size_t part = 0;
    bool is_shared = false;
  };

  void obstruct(std::string why) {
    if (into_.obstacle.empty()) into_.obstacle = std::move(why);
  }

  void free(size_t part, uint64_t bytes) {
    into_.frees += bytes;
    into_.parts_freed[part] += bytes;
  }

  Part part_of_file(std::string_view name, const struct stat& st, bool in_profile) const {
    if (in_profile) return Part::binaries;
    if (into_.kind == BuildKind::cargo) return Part::other;
    for (const NameOfPart& row : kEndings) {
      if (name.ends_with(row.name)) return row.part;
    }
    bool is_library = name.find(".so.") != std::string_view::npos;
    return is_library || (S_ISREG(st.st_mode) && (st.st_mode & 0111)) ? Part::binaries : Part::other;
  }

  void add_file(Directory& dir, const std::string& name, const struct stat& st, Part which) {
    size_t part = static_cast<size_t>(which);
    uint64_t size = S_ISREG(st.st_mode) || S_ISLNK(st.st_mode) ? static_cast<uint64_t>(st.st_size) : 0;
    if (st.st_nlink > 1) {
      Group& group = groups_[st.st_ino];
      if (group.found++ > 0) return;
      uint64_t shared = shared_bytes(dir, name, st);
      group = {st.st_nlink, 1, size, on_disk(st) - shared, part, shared > 0};
      return;
    }
    uint64_t shared = shared_bytes(dir, name, st);
    into_.total += size;
    into_.parts[part] += size;
    if (shared > 0) into_.cached += size;
    free(part, on_disk(st) - shared);
  }

  uint64_t shared_bytes(Directory& dir, const std::string& name, const struct stat& st) const {
    if (!may_share_ || !S_ISREG(st.st_mode) || st.st_blocks == 0) return 0;
    int file = ::openat(dir.fd(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return 0;
    uint64_t shared = shared_extent_bytes(file);
    ::close(file);
    return std::min(shared, on_disk(st));
  }

  BuildDir& into_;
  const std::atomic<bool>* stop_;
  bool may_share_;
  std::unordered_map<uint64_t, Group> groups_;
};

}  // namespace

void measure_build_dir(Directory& dir, BuildDir& into, const std::atomic<bool>* stop) {
  Measurement measurement(dir, into, stop);
  Result<struct stat> own = dir.stat();
  if (own.ok()) into.frees += on_disk(*own);
  measurement.walk(dir, "", 0, false, nullptr);
  measurement.finish();
}

}  // namespace kache
