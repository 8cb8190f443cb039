#include "index/transfers.h"

#include <nlohmann/json.hpp>

namespace kache {

bool parse_transfer(const std::string& text, Transfer& transfer) {
  nlohmann::json line = nlohmann::json::parse(text, nullptr, false);
  if (!line.is_object()) return false;
  auto field = [&](const char* name) { return line.find(name); };
  auto name = field("crate_name"), direction = field("direction"), bytes = field("compressed_bytes"), elapsed = field("elapsed_ms"),
       ok = field("ok"), timestamp = field("timestamp");
  for (const auto& required : {name, direction, bytes, elapsed, ok, timestamp}) {
    if (required == line.end()) return false;
  }
  if (!name->is_string() || !direction->is_string() || !bytes->is_number_integer() || !elapsed->is_number_integer() || !ok->is_boolean() ||
      !timestamp->is_number_integer()) {
    return false;
  }
  transfer.crate_name = name->get<std::string>();
  transfer.direction = direction->get<std::string>();
  transfer.compressed_bytes = bytes->get<uint64_t>();
  transfer.elapsed_ms = elapsed->get<uint64_t>();
  transfer.timestamp = timestamp->get<int64_t>();
  transfer.ok = ok->get<bool>();
  return true;
}

}  // namespace kache
