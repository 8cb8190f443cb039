#include "store/capabilities.h"

#include "store/durability.h"

namespace kache {

// One record: from, to, and their sum inverted as a check, eight bytes each.
void Capabilities::load() {
  if (loaded_) return;
  loaded_ = true;
  Result<std::string> bytes = read_file(fs_, path_, 64 << 10);
  if (!bytes.ok()) return;
  ByteReader in(*bytes);
  is_of_this_boot_ = same_boot(read_boot(in), boot_);
  if (!is_of_this_boot_) return;
  while (in.remaining() >= 24) {
    Pair pair;
    pair.from = in.u64();
    pair.to = in.u64();
    if (in.u64() == ~(pair.from + pair.to)) without_reflink_.push_back(pair);
  }
}

bool Capabilities::may_reflink(uint64_t from_dev, uint64_t to_dev) {
  load();
  for (const Pair& pair : without_reflink_) {
    if (pair.from == from_dev && pair.to == to_dev) return false;
  }
  return true;
}

void Capabilities::note_no_reflink(uint64_t from_dev, uint64_t to_dev) {
  if (!may_reflink(from_dev, to_dev)) return;
  without_reflink_.push_back({from_dev, to_dev});
  ByteWriter out;
  if (!is_of_this_boot_) write_boot(out, boot_);
  out.u64(from_dev);
  out.u64(to_dev);
  out.u64(~(from_dev + to_dev));
  // Forgetting it, or what another process noted meanwhile, costs one more attempt.
  (void)(is_of_this_boot_ ? fs_.append(path_, out.bytes()) : replace_file(fs_, path_, out.bytes(), 0600));
  is_of_this_boot_ = true;
}

}  // namespace kache
