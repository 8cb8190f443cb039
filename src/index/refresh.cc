// How the index follows the entry files: what is new is read, what is gone is dropped, one directory after the other, so that
// nobody who wants to write waits for long.
#include <unordered_map>
#include <unordered_set>

#include "base/path.h"
#include "index/store_index.h"
#include "store/memo.h"

namespace kache {
namespace {

// The keys of one directory are the ones between its byte and the next.
struct KeyRange {
  std::string first, end;
};
bool range_of(const std::string& shard, KeyRange& range) {
  Digest digest;
  if (shard.size() != 2 || !Digest::parse_hex(shard + std::string(62, '0'), digest)) return false;
  uint8_t byte = digest.bytes[0];
  range.first.assign(1, static_cast<char>(byte));
  range.end = byte == 0xff ? std::string(33, '\xff') : std::string(1, static_cast<char>(byte + 1));
  return true;
}

}  // namespace

Status StoreIndex::refresh(RefreshDepth depth, Pace& pace, std::vector<std::string>* broken) {
  Status done = refresh_all(depth, pace, broken);
  if (!done.ok()) (void)db_.run("ROLLBACK");
  // What the files say is no reason to give up an index; what SQLite says is.
  if (done.ok() || !is_kept_ || !done.error().message.starts_with("index: ")) return done;
  bool corrupt = done.code() == ErrorCode::corrupt;
  use_memory();
  if (corrupt) {
    for (const char* part : {"", "-wal", "-shm"}) (void)fs_.unlink(layout_.index() + part);
    if (!use_file(layout_.index()).ok()) use_memory();
  }
  if (broken) broken->clear();
  done = refresh_all(depth, pace, broken);
  if (done.ok() || !is_kept_) return done;
  use_memory();  // which takes a transaction that is open with it
  if (broken) broken->clear();
  return refresh_all(depth, pace, broken);
}

Status StoreIndex::refresh_all(RefreshDepth depth, Pace& pace, std::vector<std::string>* broken) {
  std::unordered_set<std::string> present;
  Result<std::vector<DirEntry>> shards = fs_.list(layout_.entries());
  if (!shards.ok() && shards.code() != ErrorCode::not_found) return std::move(shards).error();
  if (shards.ok()) {
    for (const DirEntry& shard : *shards) {
      present.insert(shard.name);
      KACHE_TRY(refresh_shard(shard.name, depth, pace, broken));
      pace.breathe();
    }
  }
  std::vector<std::string> gone;
  Statement& known = *KACHE_TRY(statement("SELECT name FROM shards"));
  while (KACHE_TRY(known.step())) {
    if (!present.contains(known.text(0))) gone.push_back(known.text(0));
  }
  for (const std::string& shard : gone) KACHE_TRY(drop_shard(shard));
  return load_totals();  // another program may have done the work
}

Status StoreIndex::refresh_shard(const std::string& shard, RefreshDepth depth, Pace& pace,
                                 std::vector<std::string>* broken) {
  std::string dir = join_path(layout_.entries(), shard);
  int64_t clock = clock_.file_clock_ns();
  Result<FileStat> stat = fs_.stat(dir);
  if (!stat.ok()) return stat.code() == ErrorCode::not_found ? Status(Ok{}) : Status(std::move(stat).error());
  if (depth == RefreshDepth::members) {
    Statement& known = *KACHE_TRY(statement("SELECT mtime FROM shards WHERE name = ?"));
    bool found = KACHE_TRY(known.bind(std::string_view(shard)).step());
    bool unchanged = found && known.integer(0) == stat->mtime_ns;
    if (found) KACHE_TRY(known.finish());
    if (unchanged) return Ok{};
  }
  Result<std::vector<DirEntry>> files = fs_.list(dir);
  if (!files.ok()) {
    if (stat->is_dir()) return std::move(files).error();
    if (broken) broken->push_back(dir);
    return Ok{};
  }

  std::unordered_map<std::string, Row> rows;
  std::vector<std::pair<Digest, Row>> known_rows = KACHE_TRY(rows_of(shard));
  for (auto& [key, row] : known_rows) rows.emplace(key.hex(), row);
  bool is_open = false, has_changed = false;  // a transaction, as soon as there is something to write
  auto open = [&]() -> Status {
    has_changed = true;
    if (is_open) return Ok{};
    is_open = true;
    return begin();
  };
  // Not with a transaction open: others want to write too.
  auto breathe = [&]() -> Status {
    if (!pace.is_due()) return Ok{};
    if (is_open) KACHE_TRY(commit());
    is_open = false;
    pace.breathe();
    return Ok{};
  };
  for (const DirEntry& file : *files) {
    std::string path = join_path(dir, file.name);
    auto row = rows.find(file.name);
    if (row != rows.end()) {
      Result<FileStat> now = fs_.lstat(path);
      if (!now.ok() && now.code() == ErrorCode::not_found) continue;  // and its row goes with those of the others
      if (!now.ok()) return std::move(now).error();
      bool same = row->second.is_same(*now);
      int64_t id = row->second.id;
      rows.erase(row);
      if (same) continue;
      KACHE_TRY(open());
      KACHE_TRY(remove(id));
    }
    Digest key;
    bool may_be_file = file.type == DirEntry::regular || file.type == DirEntry::unknown;
    if (!may_be_file || !Digest::parse_hex(file.name, key) || !file.name.starts_with(shard)) {
      if (broken) broken->push_back(path);
      continue;
    }
    KACHE_TRY(open());
    KACHE_TRY(read_entry(path, key, broken));
    KACHE_TRY(breathe());
  }
  for (const auto& [name, row] : rows) {
    KACHE_TRY(open());
    KACHE_TRY(remove(row.id));
  }
  // Only a directory that had settled is known for sure: a change in the same tick would not show.
  Statement& note = *KACHE_TRY(statement("INSERT OR REPLACE INTO shards(name, mtime) VALUES(?, ?)"));
  if (has_changed || depth == RefreshDepth::members) {
    KACHE_TRY(open());
    int64_t mtime = settled(*stat, clock) ? stat->mtime_ns : 0;
    KACHE_TRY(note.bind(std::string_view(shard)).bind(mtime).finish());
  }
  return is_open ? commit() : Status(Ok{});
}

Result<std::vector<std::pair<Digest, StoreIndex::Row>>> StoreIndex::rows_of(const std::string& shard) {
  std::vector<std::pair<Digest, Row>> rows;
  KeyRange range;
  if (!range_of(shard, range)) return rows;
  Statement& ask = *KACHE_TRY(
      statement("SELECT key, id, ino, file_size, ctime FROM entries WHERE key >= ? AND key < ? ORDER BY key"));
  ask.bind_blob(range.first).bind_blob(range.end);
  while (KACHE_TRY(ask.step())) rows.push_back({ask.digest(0), {ask.integer(1), ask.number(2), ask.number(3), ask.integer(4)}});
  return rows;
}

Status StoreIndex::drop_shard(const std::string& shard) {
  KACHE_TRY(begin());
  std::vector<std::pair<Digest, Row>> rows = KACHE_TRY(rows_of(shard));
  for (const auto& [key, row] : rows) KACHE_TRY(remove(row.id));
  Statement& forget = *KACHE_TRY(statement("DELETE FROM shards WHERE name = ?"));
  KACHE_TRY(forget.bind(std::string_view(shard)).finish());
  return commit();
}

Status StoreIndex::read_entry(const std::string& path, const Digest& key, std::vector<std::string>* broken) {
  Result<File> file = open_file(fs_, path);
  if (!file.ok()) return file.code() == ErrorCode::not_found ? Status(Ok{}) : Status(std::move(file).error());
  FileStat stat = KACHE_TRY(fs_.stat_handle(file->handle()));
  if (!stat.is_regular()) {
    if (broken) broken->push_back(path);
    return Ok{};
  }
  Result<std::string> bytes = read_handle(fs_, file->handle(), kMaxEntrySize);
  if (!bytes.ok() && bytes.code() != ErrorCode::too_large) return std::move(bytes).error();
  ++entries_read_;
  Result<Entry> entry = bytes.ok() ? decode_entry(*bytes, ActionKey{key}) : Result<Entry>(bytes.error());
  if (entry.ok()) return insert(*entry, stat);
  if (broken) broken->push_back(path);
  return Ok{};
}

}  // namespace kache
