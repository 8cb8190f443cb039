// Store index: what list, stats and gc need to know of each entry, in one SQLite file (v1/index.db). Derived from the entry
// files, which are the truth: a refresh reads what is new and drops what is gone, and a file that is broken is thrown away
// and made again. Where it can not be kept (no store, read-only, no space) it lives in memory for one command.
//
// Knows entries and the blobs they name; never looks at a blob. The wrapper knows nothing of it. Not for use from several
// threads; several processes may use the file at once.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "index/database.h"
#include "index/pace.h"
#include "store/entry.h"
#include "store/layout.h"

namespace kache {

struct IndexedEntry {
  int64_t id = 0;
  ActionKey key;
  std::string crate_name, crate_types, profile, target;
  int64_t created_ns = 0;
  int64_t last_used_ns = 0;  // as of the last refresh of times
  uint64_t compile_ms = 0;
  uint64_t blob_bytes = 0;  // of all blobs that it names, each time it names them
  uint64_t hits = 0;        // as the caller has counted them
};

struct StoreTotals {
  uint64_t entries = 0;
  uint64_t entry_bytes = 0;    // of the entry files
  uint64_t logical_bytes = 0;  // of blobs, once for each time that one is named
  uint64_t blobs = 0;
  uint64_t blob_bytes = 0;  // once for each blob
};

struct UnusedBlob {
  BlobId id;
  uint64_t size = 0;
};

// members: which entries there are; one stat for each directory that did not change. times: also when each was last used;
// one stat for each entry.
enum class RefreshDepth : uint8_t { members, times };

enum class ListOrder : uint8_t { name, size, hits, age };

class StoreIndex {
 public:
  static StoreIndex open(FileSystem& fs, Clock& clock, const StoreLayout& layout);
  // What is changed in it is forgotten with it: for a dry run.
  static StoreIndex open_scratch(FileSystem& fs, Clock& clock, const StoreLayout& layout);
  // For tests and for when the file fails in the middle of something.
  static StoreIndex in_memory(FileSystem& fs, Clock& clock, const StoreLayout& layout);

  bool is_kept() const { return is_kept_; }
  uint64_t entries_read() const { return entries_read_; }  // by refreshes of this object

  // An index on disk that can not be brought up to date is left for one in memory. `broken`, where given, gets the paths
  // of entry files that are none.
  Status refresh(RefreshDepth depth, Pace& pace, std::vector<std::string>* broken = nullptr);

  StoreTotals totals() const { return totals_; }
  // `crate`: "" for all.
  using Hits = std::vector<std::pair<Digest, uint64_t>>;
  Status each_entry(const std::string& crate, ListOrder order, const Hits& hits,
                    const std::function<void(const IndexedEntry&)>& each);
  Result<std::vector<InvocationKey>> invocations_of(const std::string& crate);
  // Whose output a blob is.
  Result<std::vector<ActionKey>> makers_of(const BlobId& blob);
  // Entries whose action key, in hex, begins so; at most `limit`.
  Result<std::vector<ActionKey>> keys_that_begin_with(std::string_view hex, size_t limit);

  // --- for the collection ---

  struct Candidate {
    int64_t id = 0;
    uint64_t compile_ms = 0;
    int64_t last_used_ns = 0;
    uint64_t own_bytes = 0;  // of its file and of the blobs that no other entry names
  };
  Status each_candidate(const std::function<void(const Candidate&)>& each);
  // By last use, before `ns`.
  Result<std::vector<int64_t>> used_before(int64_t ns);
  Result<std::vector<int64_t>> ids_of(const std::string& crate);
  Result<std::vector<int64_t>> ids_of_other_schemas(uint64_t schema);

  struct Place {
    ActionKey key;
    int64_t last_used_ns = 0;
    std::string crate_name;
    uint64_t schema = 0;
  };
  Result<Place> place_of(int64_t id);
  // Forgets an entry; the blobs that nobody names any more.
  Result<std::vector<UnusedBlob>> remove(int64_t id);
  Result<bool> is_blob_used(const BlobId& id);
  Result<bool> has_invocation(const InvocationKey& key);

  // Changes between these are on disk all or not at all, and a hundred of them cost as much as one.
  Status begin();
  Status commit();

 private:
  StoreIndex(FileSystem& fs, Clock& clock, const StoreLayout& layout) : fs_(fs), clock_(clock), layout_(layout) {}
  // What tells that an entry file is the one that was read.
  struct Row {
    int64_t id = 0;
    uint64_t ino = 0, size = 0;
    int64_t ctime_ns = 0;
    bool is_same(const FileStat& file) const { return ino == file.ino && size == file.size && ctime_ns == file.ctime_ns; }
  };
  Status use_file(const std::string& path);
  Status use(Database db);
  void use_memory();
  Status load_totals();
  Status save_totals();
  Status insert(const Entry& entry, const FileStat& file);
  Result<Statement*> statement(const char* sql);
  // In refresh.cc.
  Status refresh_all(RefreshDepth depth, Pace& pace, std::vector<std::string>* broken);
  Status refresh_shard(const std::string& shard, RefreshDepth depth, Pace& pace, std::vector<std::string>* broken);
  Status drop_shard(const std::string& shard);
  Result<std::vector<std::pair<Digest, Row>>> rows_of(const std::string& shard);
  Status read_entry(const std::string& path, const Digest& key, std::vector<std::string>* broken);

  FileSystem& fs_;
  Clock& clock_;
  const StoreLayout& layout_;
  bool is_kept_ = false;
  uint64_t entries_read_ = 0;
  StoreTotals totals_;
  // Before the statements: they are finalised first.
  Database db_;
  std::deque<std::pair<const char*, Statement>> statements_;  // by the address of their text; they stay where they are
};

}  // namespace kache
