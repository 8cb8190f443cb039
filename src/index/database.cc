#include "index/database.h"

#include <sqlite3.h>

#include <utility>

namespace kache {
namespace {

ErrorCode code_of(int result) {
  switch (result & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
    case SQLITE_ERROR: return ErrorCode::corrupt;  // the last: tables that are not ours
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ErrorCode::busy;
    case SQLITE_FULL: return ErrorCode::no_space;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN: return ErrorCode::denied;
    default: return ErrorCode::io;
  }
}

Error error_of(sqlite3* db) {
  return {code_of(::sqlite3_extended_errcode(db)), 0, std::string("index: ") + ::sqlite3_errmsg(db)};
}

}  // namespace

Result<Database> Database::open(const std::string& path) {
  Database db;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (::sqlite3_open_v2(path.c_str(), &db.db_, flags, nullptr) != SQLITE_OK) return error_of(db.db_);
  ::sqlite3_extended_result_codes(db.db_, 1);
  ::sqlite3_busy_timeout(db.db_, 10'000);
  return db;
}

Result<Database> Database::copy_of(const std::string& path) {
  Database file, copy = KACHE_TRY(open(""));
  if (::sqlite3_open_v2(path.c_str(), &file.db_, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) return error_of(file.db_);
  ::sqlite3_busy_timeout(file.db_, 10'000);
  sqlite3_backup* backup = ::sqlite3_backup_init(copy.db_, "main", file.db_, "main");
  if (!backup) return error_of(copy.db_);
  (void)::sqlite3_backup_step(backup, -1);
  if (::sqlite3_backup_finish(backup) != SQLITE_OK) return error_of(copy.db_);
  return copy;
}

Database::Database(Database&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(db_, other.db_);
  return *this;
}

Database::~Database() { ::sqlite3_close(db_); }

Status Database::run(const char* sql) {
  if (::sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error_of(db_);
  return Ok{};
}

Result<Statement> Statement::prepare(Database& db, const char* sql) {
  Statement statement;
  statement.db_ = db.handle();
  int done = ::sqlite3_prepare_v3(db.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement.statement_, nullptr);
  if (done != SQLITE_OK) return error_of(db.handle());
  return statement;
}

Statement::Statement(Statement&& other) noexcept
    : db_(other.db_), statement_(std::exchange(other.statement_, nullptr)), bound_(other.bound_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(db_, other.db_);
  std::swap(statement_, other.statement_);
  std::swap(bound_, other.bound_);
  return *this;
}

Statement::~Statement() { ::sqlite3_finalize(statement_); }

Statement& Statement::bind(int64_t value) {
  ::sqlite3_bind_int64(statement_, ++bound_, value);
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  ::sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  return *this;
}

Statement& Statement::bind(const Digest& digest) {
  return bind_blob({reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()});
}

Statement& Statement::bind_blob(std::string_view bytes) {
  ::sqlite3_bind_blob(statement_, ++bound_, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
  return *this;
}

void Statement::reset() {
  ::sqlite3_reset(statement_);
  bound_ = 0;
}

Result<bool> Statement::step() {
  int done = ::sqlite3_step(statement_);
  if (done == SQLITE_ROW) return true;
  if (done != SQLITE_DONE) {
    Error error = error_of(db_);
    reset();
    return error;
  }
  reset();
  return false;
}

Status Statement::finish() {
  Result<bool> row = step();
  if (!row.ok()) return std::move(row).error();
  reset();
  return Ok{};
}

int64_t Statement::integer(int column) { return ::sqlite3_column_int64(statement_, column); }

std::string Statement::text(int column) {
  const void* bytes = ::sqlite3_column_text(statement_, column);
  size_t size = static_cast<size_t>(::sqlite3_column_bytes(statement_, column));
  return bytes ? std::string(static_cast<const char*>(bytes), size) : std::string();
}

Digest Statement::digest(int column) {
  Digest digest;
  const void* bytes = ::sqlite3_column_blob(statement_, column);
  if (bytes && ::sqlite3_column_bytes(statement_, column) == static_cast<int>(digest.bytes.size())) {
    std::memcpy(digest.bytes.data(), bytes, digest.bytes.size());
  }
  return digest;
}

}  // namespace kache
