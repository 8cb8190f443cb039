#include "index/store_index.h"

#include <algorithm>

namespace kache {
namespace {

constexpr int64_t kVersion = 2;  // of the tables below; a file of another version is made again

// A blob's `uses` is the number of rows in `uses` that name it. The one row of `totals` sums up the tables, so that stats
// need not. `shards` has, for each directory of entries, its mtime when its members were last known for sure.
constexpr const char* kTables = R"(
  CREATE TABLE entries(
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, invocation BLOB NOT NULL, crate TEXT NOT NULL, types TEXT NOT NULL,
    profile TEXT NOT NULL, target TEXT NOT NULL, created INTEGER NOT NULL, compile_ms INTEGER NOT NULL,
    blob_bytes INTEGER NOT NULL, file_size INTEGER NOT NULL, used INTEGER NOT NULL, ino INTEGER NOT NULL,
    ctime INTEGER NOT NULL, schema INTEGER NOT NULL);
  CREATE INDEX entries_by_crate ON entries(crate, created);
  CREATE INDEX entries_by_invocation ON entries(invocation);
  CREATE TABLE blobs(id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, uses INTEGER NOT NULL);
  CREATE TABLE uses(entry INTEGER NOT NULL, blob INTEGER NOT NULL, PRIMARY KEY(entry, blob)) WITHOUT ROWID;
  CREATE TABLE shards(name TEXT PRIMARY KEY, mtime INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE totals(entries, entry_bytes, logical_bytes, blobs, blob_bytes);
  INSERT INTO totals VALUES(0, 0, 0, 0, 0);
  PRAGMA user_version = 2;
)";

// NORMAL with a log: a crash loses the newest changes and never the order of them.
constexpr const char* kSettings =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000;";

struct OrderRow {
  ListOrder order;
  const char* sql;
};
constexpr OrderRow kOrders[] = {
    {ListOrder::name, "e.crate, e.created"},
    {ListOrder::size, "e.blob_bytes DESC, e.crate"},
    {ListOrder::hits, "COALESCE(h.hits, 0) DESC, e.crate"},
    {ListOrder::age, "e.created, e.crate"},
};

}  // namespace

// --- opening ---------------------------------------------------------------------------------------------------------

StoreIndex StoreIndex::open(FileSystem& fs, Clock& clock, const StoreLayout& layout) {
  StoreIndex index(fs, clock, layout);
  std::string path = layout.index();
  if (!fs.stat(layout.v1()).ok()) {
    index.use_memory();  // a question makes no store
    return index;
  }
  Status used = index.use_file(path);
  if (!used.ok() && used.code() == ErrorCode::corrupt) {
    for (const char* part : {"", "-wal", "-shm"}) (void)fs.unlink(path + part);
    used = index.use_file(path);
  }
  if (!used.ok()) index.use_memory();
  return index;
}

StoreIndex StoreIndex::open_scratch(FileSystem& fs, Clock& clock, const StoreLayout& layout) {
  StoreIndex index(fs, clock, layout);
  Result<Database> copy = Database::copy_of(layout.index());
  if (!copy.ok() || !index.use(std::move(*copy)).ok()) index.use_memory();
  return index;
}

StoreIndex StoreIndex::in_memory(FileSystem& fs, Clock& clock, const StoreLayout& layout) {
  StoreIndex index(fs, clock, layout);
  index.use_memory();
  return index;
}

Status StoreIndex::use_file(const std::string& path) {
  Database db = KACHE_TRY(Database::open(path));
  KACHE_TRY(use(std::move(db)));
  is_kept_ = true;
  return Ok{};
}

Status StoreIndex::use(Database db) {
  statements_.clear();
  db_ = std::move(db);
  is_kept_ = false;
  KACHE_TRY(db_.run(kSettings));
  int64_t version = 0;
  {
    Statement ask = KACHE_TRY(Statement::prepare(db_, "PRAGMA user_version"));
    bool found = KACHE_TRY(ask.step());
    version = found ? ask.integer(0) : 0;
  }
  if (version != 0 && version != kVersion) return Error{ErrorCode::corrupt, 0, "index: of another version"};
  if (version == 0) {
    KACHE_TRY(db_.run("BEGIN IMMEDIATE"));
    // Another process may have made the tables while this one waited.
    Statement ask = KACHE_TRY(Statement::prepare(db_, "PRAGMA user_version"));
    bool found = KACHE_TRY(ask.step());
    if (found && ask.integer(0) == 0) {
      Status made = db_.run(kTables);
      if (!made.ok()) return made;
    }
    KACHE_TRY(ask.finish());
    KACHE_TRY(db_.run("COMMIT"));
  }
  KACHE_TRY(db_.run("CREATE TEMP TABLE hits(key BLOB PRIMARY KEY, hits INTEGER) WITHOUT ROWID"));
  return load_totals();
}

void StoreIndex::use_memory() {
  Result<Database> db = Database::open(":memory:");
  if (db.ok()) (void)use(std::move(*db));
  is_kept_ = false;
}

Result<Statement*> StoreIndex::statement(const char* sql) {
  for (auto& [text, prepared] : statements_) {
    if (text == sql) return &prepared;
  }
  statements_.emplace_back(sql, KACHE_TRY(Statement::prepare(db_, sql)));
  return &statements_.back().second;
}

// --- transactions ----------------------------------------------------------------------------------------------------

Status StoreIndex::load_totals() {
  Statement& ask = *KACHE_TRY(statement("SELECT entries, entry_bytes, logical_bytes, blobs, blob_bytes FROM totals"));
  bool found = KACHE_TRY(ask.step());
  if (!found) return Error{ErrorCode::corrupt, 0, "index: no totals"};
  totals_ = {ask.number(0), ask.number(1), ask.number(2), ask.number(3), ask.number(4)};
  return ask.finish();
}

Status StoreIndex::save_totals() {
  Statement& save = *KACHE_TRY(
      statement("UPDATE totals SET entries = ?, entry_bytes = ?, logical_bytes = ?, blobs = ?, blob_bytes = ?"));
  save.bind(totals_.entries).bind(totals_.entry_bytes).bind(totals_.logical_bytes).bind(totals_.blobs);
  return save.bind(totals_.blob_bytes).finish();
}

Status StoreIndex::begin() {
  KACHE_TRY(db_.run("BEGIN IMMEDIATE"));
  return load_totals();
}

Status StoreIndex::commit() {
  KACHE_TRY(save_totals());
  return db_.run("COMMIT");
}

// --- changing --------------------------------------------------------------------------------------------------------

Status StoreIndex::insert(const Entry& entry, const FileStat& file) {
  Statement& add = *KACHE_TRY(statement(
      "INSERT INTO entries(key, invocation, crate, types, profile, target, created, compile_ms, blob_bytes, file_size, "
      "used, ino, ctime, schema) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"));
  add.bind(entry.key.digest).bind(entry.invocation.digest).bind(std::string_view(entry.crate_name));
  add.bind(std::string_view(entry.crate_types)).bind(std::string_view(entry.profile)).bind(std::string_view(entry.target));
  add.bind(entry.created_ns).bind(entry.compile_ms).bind(entry.blob_bytes()).bind(file.size).bind(file.mtime_ns);
  bool added = KACHE_TRY(add.bind(file.ino).bind(file.ctime_ns).bind(entry.schema).step());
  if (!added) return Error{ErrorCode::corrupt, 0, "index: an entry has no number"};
  int64_t id = add.integer(0);
  KACHE_TRY(add.finish());
  totals_.entries++;
  totals_.entry_bytes += file.size;
  totals_.logical_bytes += entry.blob_bytes();

  Statement& find = *KACHE_TRY(statement("SELECT id FROM blobs WHERE digest = ?"));
  Statement& make = *KACHE_TRY(statement("INSERT INTO blobs(digest, size, uses) VALUES(?, ?, 0) RETURNING id"));
  Statement& use = *KACHE_TRY(statement("INSERT INTO uses(entry, blob) VALUES(?, ?)"));
  Statement& count = *KACHE_TRY(statement("UPDATE blobs SET uses = uses + 1 WHERE id = ?"));
  std::vector<int64_t> named;
  for (const Output& output : entry.outputs) {
    if (output.content != OutputContent::blob) continue;
    int64_t blob = 0;
    if (KACHE_TRY(find.bind(output.blob.digest).step())) {
      blob = find.integer(0);
      KACHE_TRY(find.finish());
    } else {
      bool made = KACHE_TRY(make.bind(output.blob.digest).bind(output.size).step());
      blob = made ? make.integer(0) : 0;
      KACHE_TRY(make.finish());
      totals_.blobs++;
      totals_.blob_bytes += output.size;
    }
    if (std::find(named.begin(), named.end(), blob) != named.end()) continue;
    named.push_back(blob);
    KACHE_TRY(use.bind(id).bind(blob).finish());
    KACHE_TRY(count.bind(blob).finish());
  }
  return Ok{};
}

Result<std::vector<UnusedBlob>> StoreIndex::remove(int64_t id) {
  std::vector<UnusedBlob> unused;
  Statement& row = *KACHE_TRY(statement("DELETE FROM entries WHERE id = ? RETURNING file_size, blob_bytes"));
  bool found = KACHE_TRY(row.bind(id).step());
  if (!found) return unused;
  totals_.entries--;
  totals_.entry_bytes -= row.number(0);
  totals_.logical_bytes -= row.number(1);
  KACHE_TRY(row.finish());

  std::vector<int64_t> blobs;
  Statement& uses = *KACHE_TRY(statement("SELECT blob FROM uses WHERE entry = ?"));
  uses.bind(id);
  while (KACHE_TRY(uses.step())) blobs.push_back(uses.integer(0));
  Statement& forget = *KACHE_TRY(statement("DELETE FROM uses WHERE entry = ?"));
  KACHE_TRY(forget.bind(id).finish());
  Statement& count = *KACHE_TRY(statement("UPDATE blobs SET uses = uses - 1 WHERE id = ? RETURNING uses, digest, size"));
  Statement& drop = *KACHE_TRY(statement("DELETE FROM blobs WHERE id = ?"));
  for (int64_t blob : blobs) {
    bool counted = KACHE_TRY(count.bind(blob).step());
    if (!counted) return Error{ErrorCode::corrupt, 0, "index: a blob is missing"};
    UnusedBlob last{{count.digest(1)}, count.number(2)};
    bool is_last = count.integer(0) <= 0;
    KACHE_TRY(count.finish());
    if (!is_last) continue;
    KACHE_TRY(drop.bind(blob).finish());
    totals_.blobs--;
    totals_.blob_bytes -= last.size;
    unused.push_back(last);
  }
  return unused;
}

// --- asking ----------------------------------------------------------------------------------------------------------

Status StoreIndex::each_entry(const std::string& crate, ListOrder order, const Hits& hits,
                              const std::function<void(const IndexedEntry&)>& each) {
  KACHE_TRY(db_.run("DELETE FROM temp.hits"));
  Statement& note = *KACHE_TRY(statement(
      "INSERT INTO temp.hits(key, hits) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET hits = hits + excluded.hits"));
  for (const auto& [key, count] : hits) KACHE_TRY(note.bind(key).bind(count).finish());
  auto row = std::find_if(std::begin(kOrders), std::end(kOrders), [&](const OrderRow& r) { return r.order == order; });
  std::string sql = "SELECT e.id, e.key, e.crate, e.types, e.profile, e.target, e.created, e.used, e.compile_ms, "
                    "e.blob_bytes, COALESCE(h.hits, 0) FROM entries e LEFT JOIN temp.hits h ON h.key = e.key ";
  if (!crate.empty()) sql += "WHERE e.crate = ? ";
  sql += std::string("ORDER BY ") + row->sql;
  Statement ask = KACHE_TRY(Statement::prepare(db_, sql.c_str()));
  if (!crate.empty()) ask.bind(std::string_view(crate));
  while (KACHE_TRY(ask.step())) {
    IndexedEntry entry;
    entry.id = ask.integer(0);
    entry.key.digest = ask.digest(1);
    entry.crate_name = ask.text(2);
    entry.crate_types = ask.text(3);
    entry.profile = ask.text(4);
    entry.target = ask.text(5);
    entry.created_ns = ask.integer(6);
    entry.last_used_ns = ask.integer(7);
    entry.compile_ms = ask.number(8);
    entry.blob_bytes = ask.number(9);
    entry.hits = ask.number(10);
    each(entry);
  }
  return Ok{};
}

Result<std::vector<InvocationKey>> StoreIndex::invocations_of(const std::string& crate) {
  std::vector<InvocationKey> keys;
  Statement& ask = *KACHE_TRY(statement("SELECT DISTINCT invocation FROM entries WHERE crate = ?"));
  ask.bind(std::string_view(crate));
  while (KACHE_TRY(ask.step())) keys.push_back({ask.digest(0)});
  return keys;
}

Result<std::vector<ActionKey>> StoreIndex::makers_of(const BlobId& blob) {
  std::vector<ActionKey> keys;
  Statement& ask = *KACHE_TRY(statement("SELECT e.key FROM blobs b JOIN uses u ON u.blob = b.id JOIN entries e ON e.id = u.entry "
                                        "WHERE b.digest = ? ORDER BY e.created"));
  ask.bind(blob.digest);
  while (KACHE_TRY(ask.step())) keys.push_back({ask.digest(0)});
  return keys;
}

Result<std::vector<ActionKey>> StoreIndex::keys_that_begin_with(std::string_view hex, size_t limit) {
  std::vector<ActionKey> keys;
  Statement& ask = *KACHE_TRY(statement("SELECT key FROM entries WHERE lower(substr(hex(key), 1, ?)) = ? LIMIT ?"));
  ask.bind(uint64_t{hex.size()}).bind(hex).bind(uint64_t{limit});
  while (KACHE_TRY(ask.step())) keys.push_back({ask.digest(0)});
  return keys;
}

Status StoreIndex::each_candidate(const std::function<void(const Candidate&)>& each) {
  Statement& ask = *KACHE_TRY(statement(
      "SELECT e.id, e.compile_ms, e.used, e.file_size + COALESCE((SELECT sum(b.size) FROM uses u JOIN blobs b "
      "ON b.id = u.blob WHERE u.entry = e.id AND b.uses = 1), 0) FROM entries e ORDER BY e.id"));
  while (KACHE_TRY(ask.step())) each({ask.integer(0), ask.number(1), ask.integer(2), ask.number(3)});
  return Ok{};
}

Result<std::vector<int64_t>> StoreIndex::used_before(int64_t ns) {
  std::vector<int64_t> ids;
  Statement& ask = *KACHE_TRY(statement("SELECT id FROM entries WHERE used < ?"));
  ask.bind(ns);
  while (KACHE_TRY(ask.step())) ids.push_back(ask.integer(0));
  return ids;
}

Result<std::vector<int64_t>> StoreIndex::ids_of(const std::string& crate) {
  std::vector<int64_t> ids;
  Statement& ask = *KACHE_TRY(crate.empty() ? statement("SELECT id FROM entries")
                                            : statement("SELECT id FROM entries WHERE crate = ?"));
  if (!crate.empty()) ask.bind(std::string_view(crate));
  while (KACHE_TRY(ask.step())) ids.push_back(ask.integer(0));
  return ids;
}

Result<std::vector<int64_t>> StoreIndex::ids_of_other_schemas(uint64_t schema) {
  std::vector<int64_t> ids;
  Statement& ask = *KACHE_TRY(statement("SELECT id FROM entries WHERE schema <> ?"));
  ask.bind(schema);
  while (KACHE_TRY(ask.step())) ids.push_back(ask.integer(0));
  return ids;
}

Result<StoreIndex::Place> StoreIndex::place_of(int64_t id) {
  Statement& ask = *KACHE_TRY(statement("SELECT key, used, crate, schema FROM entries WHERE id = ?"));
  bool found = KACHE_TRY(ask.bind(id).step());
  if (!found) return Error{ErrorCode::not_found, 0, "index: no such entry"};
  Place place{{ask.digest(0)}, ask.integer(1), ask.text(2), ask.number(3)};
  KACHE_TRY(ask.finish());
  return place;
}

Result<bool> StoreIndex::is_blob_used(const BlobId& id) {
  Statement& ask = *KACHE_TRY(statement("SELECT 1 FROM blobs WHERE digest = ?"));
  bool found = KACHE_TRY(ask.bind(id.digest).step());
  if (found) KACHE_TRY(ask.finish());
  return found;
}

Result<bool> StoreIndex::has_invocation(const InvocationKey& key) {
  Statement& ask = *KACHE_TRY(statement("SELECT 1 FROM entries WHERE invocation = ?"));
  bool found = KACHE_TRY(ask.bind(key.digest).step());
  if (found) KACHE_TRY(ask.finish());
  return found;
}

}  // namespace kache
