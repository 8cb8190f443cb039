#include "store/gc.h"

#include <algorithm>
#include <unordered_map>

#include "base/path.h"
#include "store/traces.h"

namespace kache {
namespace {

constexpr int64_t kHourNs = int64_t{3600} * 1'000'000'000;
constexpr int64_t kQuarantineNs = 7 * 24 * kHourNs;

struct DigestHash {
  size_t operator()(const Digest& digest) const { return digest.prefix64(); }
};

struct BlobUse {
  uint64_t size = 0;
  uint64_t entries = 0;
};
using BlobUses = std::unordered_map<Digest, BlobUse, DigestHash>;

template <typename Each>
void each_sharded(FileSystem& fs, const std::string& dir, Each each) {
  Result<std::vector<DirEntry>> shards = fs.list(dir);
  if (!shards.ok()) return;
  for (const DirEntry& shard : *shards) {
    Result<std::vector<DirEntry>> files = fs.list(join_path(dir, shard.name));
    if (!files.ok()) continue;
    for (const DirEntry& file : *files) each(join_path(join_path(dir, shard.name), file.name), file.name);
  }
}

class Collection {
 public:
  Collection(FileSystem& fs, Clock& clock, const StoreLayout& layout, const GcLimits& limits)
      : fs_(fs), layout_(layout), limits_(limits), now_(clock.wall_ns()) {}

  GcReport run() {
    mark();
    evict_old();
    evict_for_space();
    sweep_blobs();
    sweep_traces();
    sweep_leftovers(layout_.temporary(), 6 * kHourNs);
    sweep_leftovers(layout_.quarantine(), kQuarantineNs);
    sweep_leftovers(layout_.edit_states(), kQuarantineNs);
    report_.entries = entries_.size();
    report_.size = size_;
    return report_;
  }

 private:
  bool older_than(const std::string& path, int64_t age_ns) {
    Result<FileStat> stat = fs_.lstat(path);
    return stat.ok() && now_ - std::max(stat->ctime_ns, std::min(stat->mtime_ns, now_)) > age_ns;
  }

  void mark() {
    std::vector<std::string> broken;
    entries_ = list_entries(fs_, layout_, &broken);
    for (const std::string& path : broken) {
      if (older_than(path, limits_.grace_ns) && fs_.unlink(path).ok()) report_.broken++;
    }
    for (const StoredEntry& stored : entries_) {
      size_ += stored.file_size;
      for (const Output& output : stored.entry.outputs) {
        if (output.content != OutputContent::blob) continue;
        BlobUse& use = uses_[output.blob.digest];
        if (use.entries++ == 0) size_ += output.size;
        use.size = output.size;
      }
    }
  }

  uint64_t own_bytes(const StoredEntry& stored) const {
    uint64_t bytes = stored.file_size;
    for (const Output& output : stored.entry.outputs) {
      if (output.content != OutputContent::blob) continue;
      auto use = uses_.find(output.blob.digest);
      if (use != uses_.end() && use->second.entries == 1) bytes += output.size;
    }
    return bytes;
  }

  // True when it was removed: not when somebody has used it since it was marked.
  bool evict(const StoredEntry& stored) {
    Result<FileStat> stat = fs_.stat(stored.path);
    if (!stat.ok() || stat->mtime_ns != stored.last_used_ns || !fs_.unlink(stored.path).ok()) return false;
    size_ -= stored.file_size;
    for (const Output& output : stored.entry.outputs) {
      if (output.content != OutputContent::blob) continue;
      if (--uses_[output.blob.digest].entries == 0) size_ -= output.size;
    }
    return true;
  }

  void evict_old() {
    if (limits_.max_age_ns == 0) return;
    std::erase_if(entries_, [&](const StoredEntry& stored) {
      if (now_ - stored.last_used_ns <= limits_.max_age_ns || !evict(stored)) return false;
      report_.evicted_by_age++;
      return true;
    });
  }

  void evict_for_space() {
    uint64_t limit = limits_.max_size ? limits_.max_size : UINT64_MAX;
    if (limits_.free_space < limits_.min_free_space) {
      uint64_t lacking = limits_.min_free_space - limits_.free_space;
      limit = std::min(limit, size_ > lacking ? size_ - lacking : 0);
    }
    if (size_ <= limit) return;
    uint64_t target = limit / 10 * 9;  // well below, so that the next run is not the next compile
    std::vector<std::pair<double, size_t>> order;
    for (size_t i = 0; i < entries_.size(); ++i) {
      const StoredEntry& stored = entries_[i];
      order.emplace_back(
          worth_keeping(stored.entry.compile_ms, now_ - stored.last_used_ns, own_bytes(stored)), i);
    }
    std::sort(order.begin(), order.end());
    std::vector<bool> gone(entries_.size());
    for (const auto& [worth, i] : order) {
      if (size_ <= target) break;
      if (now_ - entries_[i].last_used_ns < limits_.grace_ns / 30 || !evict(entries_[i])) continue;
      gone[i] = true;
      report_.evicted_by_size++;
    }
    size_t i = 0;
    std::erase_if(entries_, [&](const StoredEntry&) { return gone[i++]; });
  }

  void sweep_blobs() {
    each_sharded(fs_, layout_.blobs(), [&](const std::string& path, const std::string& name) {
      Digest digest;
      if (Digest::parse_hex(name, digest)) {
        auto use = uses_.find(digest);
        if (use != uses_.end() && use->second.entries > 0) return;
      }
      // ctime, not mtime: that one is the seal. Every publish that finds the blob present moves it.
      Result<FileStat> stat = fs_.lstat(path);
      if (!stat.ok() || now_ - stat->ctime_ns < limits_.grace_ns || !fs_.unlink(path).ok()) return;
      report_.blobs_removed++;
      if (stat->nlink <= 1) report_.bytes_freed += stat->size;
    });
  }

  // Traces that lead nowhere any more.
  void sweep_traces() {
    each_sharded(fs_, layout_.traces(), [&](const std::string& path, const std::string&) {
      Result<FileStat> stat = fs_.lstat(path);
      if (!stat.ok() || now_ - stat->ctime_ns < limits_.grace_ns) return;
      Result<std::string> bytes = read_file(fs_, path, kMaxTracesSize);
      if (!bytes.ok()) return;
      Result<Traces> traces = decode_any_traces(*bytes);
      bool alive = traces.ok() && std::any_of(traces->candidates.begin(), traces->candidates.end(),
                                              [&](const Candidate& candidate) {
                                                return fs_.lstat(layout_.entry(candidate.action)).ok();
                                              });
      if (!alive && fs_.unlink(path).ok()) report_.stale_traces++;
    });
  }

  void sweep_leftovers(const std::string& dir, int64_t age_ns) {
    Result<std::vector<DirEntry>> files = fs_.list(dir);
    if (!files.ok()) return;
    for (const DirEntry& file : *files) {
      std::string path = join_path(dir, file.name);
      if (older_than(path, age_ns)) (void)fs_.unlink(path);
    }
  }

  FileSystem& fs_;
  const StoreLayout& layout_;
  const GcLimits& limits_;
  int64_t now_;
  std::vector<StoredEntry> entries_;
  BlobUses uses_;
  uint64_t size_ = 0;
  GcReport report_;
};

}  // namespace

double worth_keeping(uint64_t compile_ms, int64_t idle_ns, uint64_t own_bytes) {
  double idle_days = static_cast<double>(std::max<int64_t>(idle_ns, 0)) / (24.0 * static_cast<double>(kHourNs));
  return static_cast<double>(compile_ms + 1) / (1.0 + idle_days) / static_cast<double>(own_bytes + 4096);
}

std::vector<StoredEntry> list_entries(FileSystem& fs, const StoreLayout& layout, std::vector<std::string>* broken) {
  std::vector<StoredEntry> entries;
  each_sharded(fs, layout.entries(), [&](const std::string& path, const std::string& name) {
    Result<FileStat> stat = fs.lstat(path);
    if (!stat.ok()) return;  // evicted meanwhile
    Result<std::string> bytes = read_file(fs, path, kMaxEntrySize);
    if (!bytes.ok() && bytes.code() == ErrorCode::not_found) return;
    Digest named;
    Result<Entry> entry = bytes.ok() && Digest::parse_hex(name, named)
                              ? decode_entry(*bytes, ActionKey{named})
                              : Result<Entry>(Error{ErrorCode::corrupt, 0, "no entry"});
    if (entry.ok()) entries.push_back({std::move(entry).value(), path, stat->size, stat->mtime_ns});
    else if (broken) broken->push_back(path);
  });
  return entries;
}

GcReport collect_garbage(FileSystem& fs, Clock& clock, const StoreLayout& layout, const GcLimits& limits) {
  GcReport busy;
  busy.busy = true;
  if (!fs.stat(layout.locks()).ok()) return {};  // no store yet
  Result<File> lock = lock_file(fs, layout.gc_lock(), LockMode::try_exclusive);
  if (!lock.ok()) return busy;
  return Collection(fs, clock, layout, limits).run();
}

uint64_t purge_entries(FileSystem& fs, const StoreLayout& layout,
                       const std::function<bool(const StoredEntry&)>& doomed) {
  uint64_t removed = 0;
  std::vector<std::string> broken;
  for (const StoredEntry& stored : list_entries(fs, layout, &broken)) {
    if (doomed(stored) && fs.unlink(stored.path).ok()) ++removed;
  }
  return removed;
}

}  // namespace kache
