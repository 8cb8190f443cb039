#include "daemon/transfer_log.h"

#include <nlohmann/json.hpp>

#include "wrapper/event_log.h"

namespace kache {

void append_transfer(FileSystem& fs, const StoreLayout& layout, const TransferLine& line) {
  const Moved& moved = line.moved;
  nlohmann::ordered_json json = {{"schema", 2},
                                 {"crate_name", moved.crate_name},
                                 {"direction", line.direction},
                                 {"format", "k1"},
                                 {"cache_key", line.key},
                                 {"compressed_bytes", moved.compressed_bytes},
                                 {"elapsed_ms", line.elapsed_ms},
                                 {"network_ms", moved.network_us / 1000},
                                 {"request_count", moved.requests},
                                 {"original_bytes", moved.original_bytes},
                                 {"compression_ms", moved.compression_us / 1000},
                                 {"import_ms", moved.store_us / 1000},
                                 {"blobs_skipped", moved.blobs_skipped},
                                 {"blobs_total", moved.blobs},
                                 {"ok", line.ok},
                                 {"timestamp", line.ended_wall_ns / 1'000'000'000}};
  static const Config kDefaults;  // for how long the log may be
  append_event(fs, layout.transfers(), kDefaults, json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace kache
