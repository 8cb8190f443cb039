// What sharing works between two file systems, remembered across processes: asking costs a file creation each time.
// v1/capabilities: the boot, because device numbers are of one boot, and a list of fixed records that is appended to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/boot.h"
#include "base/file_system.h"

namespace kache {

class Capabilities {
 public:
  Capabilities(FileSystem& fs, std::string path, const BootId& boot)
      : fs_(fs), path_(std::move(path)), boot_(boot) {}

  // Worth trying, as far as anybody knows.
  bool may_reflink(uint64_t from_dev, uint64_t to_dev);
  void note_no_reflink(uint64_t from_dev, uint64_t to_dev);

 private:
  struct Pair {
    uint64_t from = 0, to = 0;
  };
  void load();
  FileSystem& fs_;
  std::string path_;
  BootId boot_;
  bool loaded_ = false;
  bool is_of_this_boot_ = false;  // the file on disk
  std::vector<Pair> without_reflink_;
};

}  // namespace kache
