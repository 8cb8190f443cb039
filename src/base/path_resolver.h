// Real paths: which spellings name one place. Knows symlinks; unaware of why it is asked.
//
// Remembers what it learnt about each directory for as long as it lives, so that many paths of one tree cost one
// readlink for each component. Not thread-safe. Never fails: what does not exist stays as it is spelled.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "base/file_system.h"

namespace kache {

class PathResolver {
 public:
  explicit PathResolver(FileSystem& fs) : fs_(fs) {}

  // REQUIRES: `path` is absolute. No symlinks and no ".." in the answer; links that go in circles stay as they are.
  std::string real(std::string_view path) { return resolve(path, 0); }

  // The place of a directory entry: what is above it is real, itself may be a symlink.
  std::string place(std::string_view path);

 private:
  std::string resolve(std::string_view path, int links);

  FileSystem& fs_;
  std::unordered_map<std::string, std::string> known_;
};

}  // namespace kache
