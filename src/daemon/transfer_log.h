// Lines of transfers.jsonl, schema 2.
#pragma once

#include <string>

#include "remote/exchange.h"
#include "store/layout.h"

namespace kache {

struct TransferLine {
  std::string direction;  // "upload", "download"
  std::string key;
  Moved moved;
  int64_t ended_wall_ns = 0, elapsed_ms = 0;
  bool ok = false;
};

// A line that can not be written is lost; nothing else is.
void append_transfer(FileSystem& fs, const StoreLayout& layout, const TransferLine& line);

}  // namespace kache
