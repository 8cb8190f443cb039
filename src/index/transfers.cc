#include "index/transfers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "index/log_lines.h"

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

// A line may say anything.
int64_t Transfer::at_ns() const { return std::clamp<int64_t>(timestamp, 0, 8'000'000'000) * 1'000'000'000; }

Result<std::vector<Transfer>> read_transfers(FileSystem& fs, const std::string& path, int64_t since_ns, int64_t until_ns) {
  std::vector<Transfer> transfers;
  KACHE_TRY(each_line(fs, path, [&](const std::string& line) {
    Transfer transfer;
    bool is_one = parse_transfer(line, transfer);
    if (is_one && transfer.at_ns() >= since_ns && transfer.at_ns() <= until_ns) transfers.push_back(std::move(transfer));
  }));
  return transfers;
}

TransferSums summarise(const std::vector<Transfer>& transfers) {
  TransferSums sums;
  std::vector<uint64_t> downloads;
  for (const Transfer& one : transfers) {
    TransferSums::OneWay& way = one.direction == "upload" ? sums.up : sums.down;
    ++(one.ok ? way.ok : way.failed);
    if (!one.ok) continue;
    way.bytes += one.compressed_bytes;
    way.elapsed_ms += one.elapsed_ms;
    if (one.direction != "upload") downloads.push_back(one.elapsed_ms);
  }
  if (downloads.empty()) return sums;
  std::sort(downloads.begin(), downloads.end());
  sums.p95_download_ms = downloads[(downloads.size() * 95 + 99) / 100 - 1];
  sums.max_download_ms = downloads.back();
  return sums;
}

}  // namespace kache
