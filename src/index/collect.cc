#include "index/collect.h"

#include <algorithm>
#include <unordered_set>

#include "base/path.h"
#include "index/walk.h"
#include "key/schema.h"
#include "store/entry.h"

namespace kache {
namespace {

constexpr int64_t kHourNs = int64_t{3600} * 1'000'000'000;
constexpr int64_t kWeekNs = 7 * 24 * kHourNs;
constexpr int64_t kRecentUseNs = 2 * 60 * int64_t{1'000'000'000};
constexpr size_t kSlice = 64;  // changes of the index between two moments in which others may write

uint64_t bytes_on_disk(const FileStat& file) { return file.blocks * 512; }

// Directories whose files nobody misses after a while.
struct LeftoverRow {
  std::string (StoreLayout::*dir)() const;
  int64_t age_ns;
};
constexpr LeftoverRow kLeftovers[] = {
    {&StoreLayout::temporary, 6 * kHourNs},     // of processes that died
    {&StoreLayout::quarantine, kWeekNs},        // kept for who wants to know what broke them
    {&StoreLayout::edit_states, kWeekNs},
    {&StoreLayout::outbox, kWeekNs},        // no remote has taken it in all that time
    {&StoreLayout::failed_outbox, kWeekNs},
    {&StoreLayout::rechecks, kWeekNs},      // the machine had nothing of leisure in all that time
    {&StoreLayout::verdicts, 90 * 24 * kHourNs},
    {&StoreLayout::toolchains, 30 * 24 * kHourNs},  // asked again where the toolchain is still in use
};

class Collection {
 public:
  Collection(FileSystem& fs, Clock& clock, const StoreLayout& layout, StoreIndex& index, const GcLimits& limits, Pace& pace)
      : fs_(fs), layout_(layout), index_(index), limits_(limits), pace_(pace), now_(clock.wall_ns()) {}

  Result<GcReport> run() {
    std::vector<std::string> broken;
    KACHE_TRY(index_.refresh(RefreshDepth::times, pace_, &broken));
    report_.size_before = size();
    // From here on every entry that was there at the start is in the index; what is published later is younger than any
    // grace, and so are the blobs that it relies on.
    remove_broken(broken);
    if (limits_.purge) KACHE_TRY(evict_of_unit());
    else if (limits_.only_stale_schema) KACHE_TRY(evict_stale());
    else KACHE_TRY(evict_by_limits());
    KACHE_TRY(sweep_blobs());
    KACHE_TRY(sweep_traces());
    KACHE_TRY(sweep_origins());
    sweep_leftovers();
    report_.entries = index_.totals().entries;
    report_.size = size();
    return report_;
  }

  // Only the entries: what they name goes with the next collection.
  Result<GcReport> purge_entries() {
    KACHE_TRY(index_.refresh(RefreshDepth::times, pace_));
    KACHE_TRY(evict_of_unit());
    return report_;
  }

 private:
  uint64_t size() const { return index_.totals().entry_bytes + index_.totals().blob_bytes; }

  bool is_older(const FileStat& file, int64_t age_ns) const {
    return now_ - std::max(file.ctime_ns, std::min(file.mtime_ns, now_)) > age_ns;
  }

  // In a dry run a file that was removed is gone too, once.
  bool remove(const std::string& path) { return limits_.is_dry_run ? gone_.insert(path).second : fs_.unlink(path).ok(); }

  void remove_broken(const std::vector<std::string>& broken) {
    for (const std::string& path : broken) {
      Result<FileStat> stat = fs_.lstat(path);
      if (!stat.ok() || !is_older(*stat, limits_.grace_ns)) continue;
      bool is_other = is_of_other_format(path);
      if (!remove(path)) continue;
      (is_other ? report_.stale_schema : report_.broken)++;
      report_.bytes_freed += bytes_on_disk(*stat);
      if (limits_.on_evict) limits_.on_evict({is_other ? GcReason::stale_schema : GcReason::broken, path, "", bytes_on_disk(*stat), stat->mtime_ns, 0});
    }
  }

  // --- entries -------------------------------------------------------------------------------------------------------

  bool is_of_other_format(const std::string& path) {
    char head[16];
    Result<File> file = open_file(fs_, path);
    Result<size_t> got = file.ok() ? fs_.read_at(file->handle(), 0, head, sizeof head) : Result<size_t>(file.error());
    return got.ok() && is_entry_of_other_format({head, *got});
  }

  // True when it was removed: not when somebody has used it since the index looked, unless it has to go all the same.
  Result<bool> evict(int64_t id, GcReason reason) {
    Result<StoreIndex::Place> place = index_.place_of(id);
    if (!place.ok()) {
      if (place.code() == ErrorCode::not_found) return false;  // another program has refreshed the index meanwhile
      return std::move(place).error();
    }
    std::string path = layout_.entry(place->key);
    Result<FileStat> stat = fs_.stat(path);
    bool was_used = stat.ok() && stat->mtime_ns != place->last_used_ns && reason != GcReason::purge;
    // Still to be sent; such notes last a week at most.
    bool is_awaited = reason != GcReason::purge && fs_.stat(layout_.outgoing(place->key)).ok();
    if (!stat.ok() || was_used || is_awaited || !remove(path)) return false;
    report_.bytes_freed += bytes_on_disk(*stat);
    coming_back_ += bytes_on_disk(*stat);
    std::vector<UnusedBlob> unused = KACHE_TRY(index_.remove(id));
    if (counts_free_space_) {
      for (const UnusedBlob& blob : unused) {
        Result<FileStat> file = fs_.lstat(layout_.blob(blob.id));
        if (file.ok() && file->nlink <= 1) coming_back_ += bytes_on_disk(*file);
      }
    }
    if (limits_.on_evict) {
      Evicted evicted{reason, path, place->crate_name, bytes_on_disk(*stat), place->last_used_ns, place->schema};
      for (const UnusedBlob& blob : unused) evicted.bytes += blob.size;
      limits_.on_evict(evicted);
    }
    return true;
  }

  // In slices, between which other programs get at the index and a build gets the machine.
  template <typename Ids, typename Stop>
  Status evict_all(const Ids& ids, GcReason reason, uint64_t& evicted, Stop stop) {
    for (size_t i = 0; i < ids.size() && !stop();) {
      KACHE_TRY(index_.begin());
      for (size_t end = std::min(i + kSlice, ids.size()); i < end && !stop(); ++i) evicted += KACHE_TRY(evict(ids[i], reason));
      KACHE_TRY(index_.commit());
      pace_.breathe();
    }
    return Ok{};
  }

  static bool never() { return false; }

  Status evict_of_unit() {
    std::vector<int64_t> ids = KACHE_TRY(index_.ids_of(*limits_.purge));
    return evict_all(ids, GcReason::purge, report_.purged, never);
  }

  Status evict_stale() {
    std::vector<int64_t> ids = KACHE_TRY(index_.ids_of_other_schemas(kKeySchema));
    return evict_all(ids, GcReason::stale_schema, report_.stale_schema, never);
  }

  Status evict_by_limits() {
    KACHE_TRY(evict_old());
    return evict_for_space();
  }

  Status evict_old() {
    if (limits_.max_age_ns == 0) return Ok{};
    std::vector<int64_t> ids = KACHE_TRY(index_.used_before(now_ - limits_.max_age_ns));
    return evict_all(ids, GcReason::age, report_.evicted_by_age, never);
  }

  // Two reasons to make room: the store is over its limit, or the disk is nearly full. Only for the second one it counts
  // what is really given back. Both go well below, so that the next run is not the next compile.
  Status evict_for_space() {
    uint64_t target = UINT64_MAX, lacking = 0;
    if (limits_.max_size != 0 && size() > limits_.max_size) target = limits_.max_size / 10 * 9;
    if (limits_.free_space < limits_.min_free_space) {
      lacking = limits_.min_free_space - limits_.free_space + limits_.min_free_space / 10;
    }
    if (target == UINT64_MAX && lacking == 0) return Ok{};
    counts_free_space_ = lacking > 0;
    coming_back_ = 0;

    std::vector<std::pair<double, int64_t>> order;
    order.reserve(index_.totals().entries);
    uint64_t in_use = 0;
    KACHE_TRY(index_.each_candidate([&](const StoreIndex::Candidate& entry) {
      int64_t idle = now_ - entry.last_used_ns;
      if (idle < std::min(kRecentUseNs, limits_.grace_ns)) {  // by a build that is running
        in_use++;
        return;
      }
      order.emplace_back(worth_keeping(entry.compile_ms, idle, entry.own_bytes), entry.id);
    }));
    std::sort(order.begin(), order.end());
    std::vector<int64_t> ids;
    ids.reserve(order.size());
    for (const auto& [worth, id] : order) ids.push_back(id);
    order = {};
    auto is_enough = [&] { return size() <= target && coming_back_ >= lacking; };
    KACHE_TRY(evict_all(ids, GcReason::size, report_.evicted_by_size, is_enough));
    if (!is_enough()) report_.in_use = in_use;
    return Ok{};
  }

  // --- what nothing leads to any more --------------------------------------------------------------------------------

  Status sweep_blobs() {
    return sweep(layout_.blobs(), &Collection::is_blob_used, [&](const FileStat& blob) {
      report_.blobs_removed++;
      (blob.nlink <= 1 ? report_.bytes_freed : report_.bytes_linked) += bytes_on_disk(blob);
    }, [&](const FileStat& blob) {
      report_.blobs_young++;
      report_.bytes_young += bytes_on_disk(blob);
    });
  }

  // A trace is named by its invocation, and so is each entry to which it leads.
  Status sweep_traces() {
    return sweep(layout_.traces(), &Collection::leads_to_entry, [&](const FileStat& trace) {
      report_.stale_traces++;
      report_.bytes_freed += bytes_on_disk(trace);
    });
  }

  // What a precompiled header was made of is named by its blob.
  Status sweep_origins() {
    return sweep(layout_.origins(), &Collection::is_blob_used, [&](const FileStat& origin) {
      report_.leftovers++;
      report_.bytes_freed += bytes_on_disk(origin);
    });
  }

  Result<bool> is_blob_used(const Digest& name) { return index_.is_blob_used(BlobId{name}); }
  Result<bool> leads_to_entry(const Digest& name) { return index_.has_invocation(InvocationKey{name}); }

  // Removes the files of a sharded directory by whose names nothing is known, after the grace.
  template <typename Removed>
  Status sweep(const std::string& dir, Result<bool> (Collection::*is_alive)(const Digest&), Removed removed,
               const std::function<void(const FileStat&)>& kept = {}) {
    Status asked = Ok{};
    each_sharded(fs_, dir, [&](const std::string& path, const std::string& name) {
      if (!asked.ok()) return;
      Digest digest;
      if (Digest::parse_hex(name, digest)) {
        Result<bool> alive = (this->*is_alive)(digest);
        if (!alive.ok()) asked = std::move(alive).error();
        if (!asked.ok() || *alive) return;
      }
      // ctime, not mtime: of a blob that one is the seal. Every publish that finds the blob present moves it.
      Result<FileStat> stat = fs_.lstat(path);
      if (!stat.ok()) return;
      bool is_young = now_ - stat->ctime_ns < limits_.grace_ns;
      if (is_young && kept) kept(*stat);
      if (is_young || !remove(path)) return;
      removed(*stat);
      pace_.breathe();
    }, [&] { pace_.breathe(); });
    return asked;
  }

  void sweep_leftovers() {
    for (const LeftoverRow& row : kLeftovers) {
      std::string dir = (layout_.*row.dir)();
      sweep_dir(dir, row.age_ns, [](std::string_view) { return true; });
    }
    // Files that were to replace another one stand beside it.
    for (const std::string& dir : {layout_.root(), layout_.v1(), layout_.toolchains(), layout_.root() + "/config"}) {
      sweep_dir(dir, 6 * kHourNs, is_temporary_name);
    }
  }

  template <typename Doomed>
  void sweep_dir(const std::string& dir, int64_t age_ns, Doomed doomed) {
    Result<std::vector<DirEntry>> files = fs_.list(dir);
    if (!files.ok()) return;
    for (const DirEntry& file : *files) {
      if (!doomed(file.name)) continue;
      std::string path = join_path(dir, file.name);
      Result<FileStat> stat = fs_.lstat(path);
      if (!stat.ok() || !is_older(*stat, age_ns) || !remove(path)) continue;
      report_.leftovers++;
      report_.bytes_freed += bytes_on_disk(*stat);
    }
  }

  FileSystem& fs_;
  const StoreLayout& layout_;
  StoreIndex& index_;
  const GcLimits& limits_;
  Pace& pace_;
  int64_t now_;
  bool counts_free_space_ = false;
  uint64_t coming_back_ = 0;  // since eviction for space began
  std::unordered_set<std::string> gone_;  // of a dry run
  GcReport report_;
};

}  // namespace

double worth_keeping(uint64_t compile_ms, int64_t idle_ns, uint64_t own_bytes) {
  double idle_days = static_cast<double>(std::max<int64_t>(idle_ns, 0)) / (24.0 * static_cast<double>(kHourNs));
  return static_cast<double>(compile_ms + 1) / (1.0 + idle_days) / static_cast<double>(own_bytes + 4096);
}

Result<GcReport> collect_garbage(FileSystem& fs, Clock& clock, const StoreLayout& layout, StoreIndex& index,
                                 const GcLimits& limits, Pace& pace) {
  if (!fs.stat(layout.locks()).ok()) return GcReport{};  // no store yet
  if (limits.is_dry_run) return Collection(fs, clock, layout, index, limits, pace).run();  // is in nobody's way
  Result<File> lock = lock_file(fs, layout.gc_lock(), LockMode::try_exclusive);
  if (!lock.ok()) {
    // Whoever holds the lock sees which entries are gone, and removes what they named.
    Result<GcReport> report = GcReport{};
    if (limits.purge) report = Collection(fs, clock, layout, index, limits, pace).purge_entries();
    if (report.ok()) report->busy = true;
    return report;
  }
  Result<GcReport> report = Collection(fs, clock, layout, index, limits, pace).run();
  if (report.ok() || !index.is_kept()) return report;
  // The index can not be written, just when room has to be made: once more with one that needs none.
  StoreIndex spare = StoreIndex::in_memory(fs, clock, layout);
  return Collection(fs, clock, layout, spare, limits, pace).run();
}

}  // namespace kache
