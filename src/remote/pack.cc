#include "remote/pack.h"

#include <algorithm>

#include "base/bytes.h"

namespace kache {
namespace {

constexpr std::string_view kMagic = "KPACKS01";
constexpr size_t kItemHead = 1 + 32 + 8;

Error malformed() { return {ErrorCode::corrupt, 0, "malformed pack"}; }

}  // namespace

std::string pack_head() { return std::string(kMagic); }

std::string encode_pack_item(const PackItem& item) {
  ByteWriter out;
  out.u8(item.kind);
  out.digest(item.digest);
  out.u64(item.size);
  return std::move(out).take();
}

// Takes what there is of a head, and begins with what it announces.
Status PackReader::read_head(std::string_view& bytes) {
  size_t wanted = has_begun_ ? kItemHead : kMagic.size();
  size_t taken = std::min(wanted - head_.size(), bytes.size());
  head_ += bytes.substr(0, taken);
  bytes.remove_prefix(taken);
  if (head_.size() < wanted) return Ok{};
  std::string head;
  head.swap(head_);
  if (!has_begun_) {
    has_begun_ = true;
    return head == kMagic ? Status(Ok{}) : Status(malformed());
  }
  ByteReader in(head);
  uint8_t kind = in.u8();
  if (kind > PackItem::traces) return malformed();
  PackItem item{static_cast<PackItem::Kind>(kind), in.digest(), in.u64()};
  if (item.kind == PackItem::end) {
    is_whole_ = true;
    return item.size == 0 ? Status(Ok{}) : Status(malformed());
  }
  in_item_ = true;
  left_ = item.size;
  return taker_.begin(item);
}

Status PackReader::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (is_whole_) return malformed();
    if (!in_item_) KACHE_TRY(read_head(bytes));
    if (!in_item_) continue;
    std::string_view part = bytes.substr(0, static_cast<size_t>(std::min<uint64_t>(left_, bytes.size())));
    if (!part.empty()) KACHE_TRY(taker_.content(part));
    bytes.remove_prefix(part.size());
    left_ -= part.size();
    if (left_ > 0) continue;
    in_item_ = false;
    KACHE_TRY(taker_.end());
  }
  return Ok{};
}

Status PackReader::finish() const {
  if (!is_whole_) return Error{ErrorCode::corrupt, 0, "the pack is cut off"};
  return Ok{};
}

}  // namespace kache
