// Which directories are build directories, and which of these hold somebody's sources.
#pragma once

#include <optional>

#include "clean/build_dir.h"
#include "clean/directory.h"

namespace kache {

struct RecognisedDir {
  BuildKind kind = BuildKind::cargo;
  std::string obstacle;            // why it must stay
  std::vector<std::string> labels;  // of CMake
  bool holds_projects = false;      // its subdirectories are to be looked through as well
};

// `entries` is what is in it. `beside_manifest`: a Cargo.toml stands beside it.
std::optional<RecognisedDir> recognise_build_dir(Directory& dir, const std::vector<DirEntry>& entries, bool beside_manifest);

// The entry of CMakeCache.txt, "" when it has none: CMAKE_HOME_DIRECTORY:INTERNAL=/src.
std::string cmake_cache_value(std::string_view cache, std::string_view name);

bool has_entry(const std::vector<DirEntry>& entries, std::string_view name, DirEntry::Type type);
// Of a profile of cargo: target/debug.
bool is_profile(std::string_view name, const std::vector<DirEntry>& entries);

}  // namespace kache
