// The lines of a log that others append to, each of them once: also when the log is cut to its newest lines under a new inode
// (event_log.cc), truncated in place, or removed and begun again.
//
// After a cut some lines are known already, and what was appended meanwhile may stand in another order; so lines are
// remembered by a hash, 8 bytes each, for as long as they may come up again. Not for use from several threads.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "base/file_system.h"

namespace kache {

class LineTail {
 public:
  LineTail(FileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)) {}

  // What was appended since the last call; at first, all there is. A log that is not there is an empty one. A line without its
  // end waits for it.
  Result<std::vector<std::string>> poll();

 private:
  Status open();
  Status drain(std::vector<std::string>& lines);
  void begin_again();

  FileSystem& fs_;
  std::string path_;
  File file_;
  uint64_t dev_ = 0, ino_ = 0, offset_ = 0;
  std::string partial_;
  std::unordered_set<size_t> seen_, before_;  // of the file that is open, and of the one before
};

}  // namespace kache
