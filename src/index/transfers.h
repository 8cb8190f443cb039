// transfers.jsonl: what went to a remote and came from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace kache {

struct Transfer {
  std::string crate_name, direction;  // "upload", "download"
  uint64_t compressed_bytes = 0, elapsed_ms = 0;
  int64_t timestamp = 0;  // seconds since the epoch
  bool ok = false;

  int64_t at_ns() const;
};

// One line of the log. False: it is something else.
bool parse_transfer(const std::string& text, Transfer& transfer);

// Those that ended from `since_ns` to `until_ns`; an absent log is an empty one.
Result<std::vector<Transfer>> read_transfers(FileSystem& fs, const std::string& path, int64_t since_ns, int64_t until_ns);

struct TransferSums {
  struct OneWay {
    uint64_t ok = 0, failed = 0, bytes = 0;  // bytes as they went over the network
    uint64_t elapsed_ms = 0;                 // of those that did not fail, one by one
  };
  OneWay down, up;
  uint64_t p95_download_ms = 0, max_download_ms = 0;

  bool is_empty() const { return down.ok + down.failed + up.ok + up.failed == 0; }
};

TransferSums summarise(const std::vector<Transfer>& transfers);

}  // namespace kache
