#include "clean/recognise.h"

#include <limits.h>
#include <stdlib.h>

#include <algorithm>

#include "base/path.h"

namespace kache {
namespace {

// Nobody writes these into a directory that is to be thrown away.
constexpr std::string_view kSources[] = {".git", ".hg", ".svn", ".jj", "Cargo.toml", "CMakeLists.txt", "meson.build"};

std::string source_in(const std::vector<DirEntry>& entries) {
  for (const DirEntry& entry : entries) {
    if (std::find(std::begin(kSources), std::end(kSources), entry.name) != std::end(kSources) || entry.name.ends_with(".rs")) return entry.name;
  }
  return {};
}

// Cargo tags its registry too, so the tag alone is not enough.
bool has_cargo_tag(Directory& dir, const std::vector<DirEntry>& entries) {
  if (!has_entry(entries, "CACHEDIR.TAG", DirEntry::regular)) return false;
  if (dir.read("CACHEDIR.TAG", 1024).find("created by cargo") == std::string::npos) return false;
  return has_entry(entries, "debug", DirEntry::dir) || has_entry(entries, "release", DirEntry::dir);
}

bool is_cargo(Directory& dir, const std::vector<DirEntry>& entries, bool beside_manifest) {
  if (base_name(dir.path()) == "target" && beside_manifest) return !entries.empty();
  return has_entry(entries, ".rustc_info.json", DirEntry::regular) || has_cargo_tag(dir, entries);
}

std::string real_path(const std::string& path) {
  char buffer[PATH_MAX];
  return ::realpath(path.c_str(), buffer) ? buffer : path;
}

void read_cmake_cache(Directory& dir, RecognisedDir& found) {
  std::string cache = dir.read("CMakeCache.txt", 8u << 20);
  std::string type = cmake_cache_value(cache, "CMAKE_BUILD_TYPE");
  if (!type.empty()) found.labels.push_back(type);
  std::string home = real_path(cmake_cache_value(cache, "CMAKE_HOME_DIRECTORY"));
  if (is_absolute(home) && is_below(home, dir.path())) {
    found.obstacle = "an in-source build: the sources are in it";
    found.holds_projects = true;
  }
}

}  // namespace

bool has_entry(const std::vector<DirEntry>& entries, std::string_view name, DirEntry::Type type) {
  return std::any_of(entries.begin(), entries.end(), [&](const DirEntry& entry) { return entry.type == type && entry.name == name; });
}

bool is_profile(std::string_view name, const std::vector<DirEntry>& entries) {
  for (std::string_view known : {"debug", "release"}) {
    if (name == known) return true;
  }
  return has_entry(entries, ".fingerprint", DirEntry::dir) || has_entry(entries, ".cargo-lock", DirEntry::regular) ||
         has_entry(entries, "deps", DirEntry::dir);
}

std::string cmake_cache_value(std::string_view cache, std::string_view name) {
  for (size_t at = 0; at < cache.size();) {
    size_t end = std::min(cache.find('\n', at), cache.size());
    std::string_view line = cache.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
    size_t equals = line.find('=', name.size());
    if (equals == std::string_view::npos) continue;
    std::string_view value = line.substr(equals + 1);
    if (value.ends_with('\r')) value.remove_suffix(1);
    return std::string(value);
  }
  return {};
}

std::optional<RecognisedDir> recognise_build_dir(Directory& dir, const std::vector<DirEntry>& entries, bool beside_manifest) {
  RecognisedDir found;
  if (is_cargo(dir, entries, beside_manifest)) {
    found.kind = BuildKind::cargo;
  } else if (has_entry(entries, "CMakeCache.txt", DirEntry::regular)) {
    found.kind = BuildKind::cmake;
    read_cmake_cache(dir, found);
  } else if (has_entry(entries, "meson-private", DirEntry::dir) && has_entry(entries, "build.ninja", DirEntry::regular)) {
    found.kind = BuildKind::meson;
  } else {
    return std::nullopt;
  }
  std::string source = source_in(entries);
  if (found.obstacle.empty() && !source.empty()) {
    found.obstacle = "sources are in it: " + source;
    found.holds_projects = true;
  }
  return found;
}

}  // namespace kache
