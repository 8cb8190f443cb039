// Durability: which of the store's blobs are surely on the disk.
//
// Publishing does not wait for the disk. An entry carries the moment at which it was published instead (its stamp), and
// the sync mark says, for each boot, up to which moment all is on the disk: it is set after the file system was synced,
// with the time from before. An entry of another boot that no mark covers may name blobs whose content was lost with the
// power; those are read once, on first use, and then the entry is published again with a stamp of this boot.
// v1/synced, frame KSYNCD01. Safe between processes and threads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/boot.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "store/layout.h"

namespace kache {

struct Stamp {
  BootId boot;
  int64_t boottime_ns = 0;  // CLOCK_BOOTTIME
};

// For what was written until now: taken after the last blob of an entry is in its place.
inline Stamp stamp_now(Clock& clock, const BootId& boot) { return {boot, clock.boottime_ns()}; }

void write_boot(ByteWriter& out, const BootId& boot);
BootId read_boot(ByteReader& in);
void write_stamp(ByteWriter& out, const Stamp& stamp);
Stamp read_stamp(ByteReader& in);

// What was written before the stamp holds what was written: it is of this boot, or a mark covers it. Reads the mark only
// for what is of another boot.
bool is_certain(FileSystem& fs, const StoreLayout& layout, const Stamp& stamp, const BootId& boot);

// Everything published before this call is on the disk when it returns, and marked so. Processes that ask at the same
// time share one sync.
Status sync_store(FileSystem& fs, Clock& clock, const StoreLayout& layout, const BootId& boot);

// One stamp for each boot, newest first.
std::string encode_sync_mark(const std::vector<Stamp>& stamps);
Result<std::vector<Stamp>> decode_sync_mark(std::string_view bytes);
// How many boots are remembered; entries of older ones are read once more.
inline constexpr size_t kMaxMarkedBoots = 256;

}  // namespace kache
