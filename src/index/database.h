// A thin skin over SQLite: what fails is a Result, what is open is closed. Only the tool links it.
// Not for use from several threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace kache {

class Database {
 public:
  Database() = default;
  // ":memory:" is one that lives as long as this object. `corrupt` for a file that is no database; what an error means in
  // general: `corrupt` throw the file away, `busy` another program holds it, `no_space`, `denied`, else `io`.
  static Result<Database> open(const std::string& path);
  // A copy of the database in a file, which is not touched; it lives as long as this object.
  static Result<Database> copy_of(const std::string& path);
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  ~Database();

  // Statements without results, separated by semicolons.
  Status run(const char* sql);
  sqlite3* handle() { return db_; }

 private:
  sqlite3* db_ = nullptr;
};

// One prepared statement: bind in the order of the question marks, step, read the columns. Texts and blobs must outlive
// the step. REQUIRES: the database outlives it.
class Statement {
 public:
  Statement() = default;
  static Result<Statement> prepare(Database& db, const char* sql);
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  Statement& bind(int64_t value);
  Statement& bind(uint64_t value) { return bind(static_cast<int64_t>(value)); }
  Statement& bind(std::string_view text);
  Statement& bind(const Digest& digest);
  Statement& bind_blob(std::string_view bytes);

  // True: there is a row. False: there is none any more, and the statement can be bound again.
  Result<bool> step();
  // For what has no rows, or whose rows are not of interest any more.
  Status finish();

  int64_t integer(int column);
  uint64_t number(int column) { return static_cast<uint64_t>(integer(column)); }
  std::string text(int column);
  Digest digest(int column);  // zero when the column holds something else

 private:
  void reset();
  sqlite3* db_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

}  // namespace kache
