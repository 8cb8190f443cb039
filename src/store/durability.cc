#include "store/durability.h"

#include <algorithm>

#include "base/frame.h"

namespace kache {
namespace {

constexpr std::string_view kMagic = "KSYNCD01";
constexpr uint64_t kMaxMarkSize = 64 << 10;

// A mark that can not be read covers nothing.
std::vector<Stamp> read_mark(FileSystem& fs, const StoreLayout& layout) {
  Result<std::string> bytes = read_file(fs, layout.sync_mark(), kMaxMarkSize);
  if (!bytes.ok()) return {};
  return decode_sync_mark(*bytes).value_or({});
}

bool covers(const std::vector<Stamp>& mark, const Stamp& stamp) {
  return std::any_of(mark.begin(), mark.end(), [&](const Stamp& marked) {
    return same_boot(marked.boot, stamp.boot) && marked.boottime_ns >= stamp.boottime_ns;
  });
}

// The mark has to be on the disk itself, and whole, before its name is.
Status replace_mark(FileSystem& fs, const StoreLayout& layout, const std::vector<Stamp>& stamps) {
  std::string temporary = temporary_beside(layout.temporary() + "/synced");
  auto stages = [&]() -> Status {
    KACHE_TRY(fs.create(temporary, encode_sync_mark(stamps), 0600));
    KACHE_TRY(fs.sync(temporary));
    KACHE_TRY(fs.rename(temporary, layout.sync_mark()));
    return fs.sync(layout.v1());
  };
  Status done = stages();
  if (!done.ok()) (void)fs.unlink(temporary);
  return done;
}

}  // namespace

void write_boot(ByteWriter& out, const BootId& boot) {
  out.raw({reinterpret_cast<const char*>(boot.bytes.data()), boot.bytes.size()});
}

BootId read_boot(ByteReader& in) {
  BootId boot;
  std::string_view id = in.raw(boot.bytes.size());
  std::copy(id.begin(), id.end(), boot.bytes.begin());
  return boot;
}

void write_stamp(ByteWriter& out, const Stamp& stamp) {
  write_boot(out, stamp.boot);
  out.i64(stamp.boottime_ns);
}

Stamp read_stamp(ByteReader& in) {
  Stamp stamp;
  stamp.boot = read_boot(in);
  stamp.boottime_ns = in.i64();
  return stamp;
}

std::string encode_sync_mark(const std::vector<Stamp>& stamps) {
  ByteWriter out;
  out.varint(stamps.size());
  for (const Stamp& stamp : stamps) write_stamp(out, stamp);
  return seal_frame(kMagic, std::move(out).take());
}

Result<std::vector<Stamp>> decode_sync_mark(std::string_view bytes) {
  ByteReader in(KACHE_TRY(open_frame(kMagic, bytes)));
  std::vector<Stamp> stamps(in.count(24));
  for (Stamp& stamp : stamps) stamp = read_stamp(in);
  if (!in.ok() || !in.at_end()) return Error{ErrorCode::corrupt, 0, "malformed sync mark"};
  return stamps;
}

bool is_certain(FileSystem& fs, const StoreLayout& layout, const Stamp& stamp, const BootId& boot) {
  return same_boot(stamp.boot, boot) || covers(read_mark(fs, layout), stamp);
}

Status sync_store(FileSystem& fs, Clock& clock, const StoreLayout& layout, const BootId& boot) {
  Stamp wanted = stamp_now(clock, boot);
  File lock = KACHE_TRY(lock_file(fs, layout.sync_lock(), LockMode::exclusive));
  std::vector<Stamp> mark = read_mark(fs, layout);
  if (covers(mark, wanted)) return Ok{};  // by a sync that began while this one waited
  Stamp covered = stamp_now(clock, boot);
  KACHE_TRY(fs.sync_all(layout.v1()));
  if (!boot.is_known()) return Ok{};
  std::erase_if(mark, [&](const Stamp& stamp) { return same_boot(stamp.boot, boot); });
  mark.insert(mark.begin(), covered);
  if (mark.size() > kMaxMarkedBoots) mark.resize(kMaxMarkedBoots);
  return replace_mark(fs, layout, mark);
}

}  // namespace kache
