// Memo: (identity of a file) → digest, for all processes of the machine, in one file without locks.
//
// An identity is what stat says: device, inode, size, mtime and ctime in nanoseconds. A slot is read and written in one
// system call and carries a checksum: a torn or foreign slot is not found, which costs a hash and nothing else. Losing
// the file loses nothing but time.
//
// Who may insert: a digest belongs to an identity only if no write can have happened after the bytes were read without
// changing that identity. The kernel stamps with a coarse clock, so: ctime must be older than that clock when the
// reading began (see `settled`). The one exception is a file that this process has just made itself (restore.cc).
#pragma once

#include <cstdint>
#include <string>

#include "base/boot.h"
#include "base/digest.h"
#include "base/file_system.h"

namespace kache {

class Memo {
 public:
  // `path` is created where absent, and anew where another boot made it: what stat says then proves nothing of content
  // that a crash may have lost, and device numbers are given out anew. An unusable file, or a boot that is not known,
  // gives a memo that finds nothing and keeps nothing.
  static Memo open(const std::string& path, const BootId& boot);
  Memo(Memo&& other) noexcept;
  Memo& operator=(Memo&&) = delete;
  ~Memo();

  // `aux` tells apart several facts about one inode: 0 is the content, else a hash of the question.
  bool find(const FileStat& file, uint64_t aux, Digest* digest) const;
  void insert(const FileStat& file, uint64_t aux, const Digest& digest);

  const BootId& boot() const { return boot_; }

  // Makes room by rewriting the file with twice the slots when many digests had to be thrown out. Others that insert
  // meanwhile lose those digests.
  void grow_if_crowded();

  static constexpr uint64_t kSlotSize = 88;
  static constexpr uint64_t kSlotsPerBucket = 8;
  static constexpr uint64_t kHeaderSize = 4096;

 private:
  Memo() = default;
  uint64_t bucket_offset(const FileStat& file, uint64_t aux) const;
  std::string path_;
  BootId boot_;
  int fd_ = -1;
  uint64_t buckets_ = 0;
};

// True when a digest of bytes read from now on may be kept: the file's last change is older than the file clock.
inline bool settled(const FileStat& file, int64_t file_clock_ns) { return file.ctime_ns < file_clock_ns; }

// The mtime of every blob: a fixed function of its digest, in the past, so that a write into a blob (or into a file that
// shares its inode) is seen by one stat.
int64_t seal_mtime(const Digest& digest);
bool is_sealed(const FileStat& file, const Digest& digest);

}  // namespace kache
