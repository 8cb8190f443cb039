// transfers.jsonl: what went to a remote and came from it.
#pragma once

#include <cstdint>
#include <string>

namespace kache {

struct Transfer {
  std::string crate_name, direction;  // "upload", "download"
  uint64_t compressed_bytes = 0, elapsed_ms = 0;
  int64_t timestamp = 0;  // seconds since the epoch
  bool ok = false;
};

// One line of the log. False: it is something else.
bool parse_transfer(const std::string& text, Transfer& transfer);

}  // namespace kache
