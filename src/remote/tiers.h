// Tiers: several remotes as one, the nearest first. A get asks them in order and brings what a farther one had to the nearer
// ones that may be written; a put goes to all that may be. Each has its own health: one that is shut is passed over.
//
// An answer is not checked here. Who finds that an object is wrong asks on:
//
//   size_t first = 0;
//   for (;;) {
//     Fetched fetched = KACHE_TRY(tiers.fetch(name, sink, limits, first));
//     if (is_right(sink)) { tiers.fill(name, fetched, limits); break; }    // now, or later on another thread
//     tiers.distrust(name, fetched.tier);                                  // not asked for it for a while; the next put replaces it
//     first = fetched.tier + 1; … and a new sink
//   }
//
// get() is fetch() and fill() in one. What changes under its name (traces, leases) differs between the tiers, and a version
// is one of one tier: whoever compares and replaces does it with tier(i), one by one. A put under a version that get() said
// goes to the tier of that version only.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/env.h"
#include "remote/guarded_remote.h"
#include "remote/remote_spec.h"

namespace kache {

struct Tier {
  std::unique_ptr<Remote> remote;
  bool reads = true, writes = true;
};

struct TiersSettings {
  GuardSettings guard;
  size_t held_bytes = 1 << 20;  // up to here an object is kept in memory, and a tier that fails half-way is replaced by the next
  std::string spool_dir;        // larger ones lie here while they are brought nearer; "": they are not
};

// Bytes on their way to nearer tiers.
class Spool;

struct Fetched {
  size_t tier = 0;
  std::string version;  // as that tier said
  std::vector<size_t> lacking;   // nearer tiers that may be written and did not fail just now
  std::shared_ptr<Spool> spool;  // nullptr: there is nothing to bring nearer
};

struct TierReport {
  std::string description;
  bool reads = false, writes = false;
  CircuitBreaker::State read_state = CircuitBreaker::State::closed, write_state = CircuitBreaker::State::closed;
  uint64_t suppressed_reads = 0, suppressed_writes = 0;  // not asked, since it was shut
  uint64_t suppressed_misses = 0;                        // not asked, since it had said that it has none
  uint64_t fills = 0, failed_fills = 0;
};

class Tiers final : public Remote {
 public:
  Tiers(std::vector<Tier> tiers, Clock& clock, TiersSettings settings = {});

  size_t size() const { return rows_.size(); }
  GuardedRemote& tier(size_t i) { return *rows_[i]->remote; }
  bool reads(size_t i) const { return rows_[i]->reads; }
  bool writes(size_t i) const { return rows_[i]->writes; }
  std::vector<TierReport> report() const;

  // `not_found` when all that may be read have said so; another error when one of them could not say.
  Result<Fetched> fetch(const ObjectName& name, Sink& sink, const Limits& limits, size_t first = 0);
  // A failure is counted and concerns nobody.
  void fill(const ObjectName& name, const Fetched& fetched, const Limits& limits);
  void distrust(const ObjectName& name, size_t tier);
  // A put would bring it to no tier: all that may be written say that they have it, and it is not known to be wrong there.
  // Those that do not take so much are not asked.
  bool is_nowhere_lacking(const ObjectName& name, uint64_t size, const Limits& limits);

  std::string description() const override;
  // The largest that one of them takes. A put passes over those that take less.
  uint64_t largest_object() const override;
  Result<std::string> get(const ObjectName& name, Sink& sink, const Limits& limits) override;
  // The first failure, after all were tried. `exists`: no tier lacked it.
  Status put(const ObjectName& name, Source& source, const PutCondition& condition, const Limits& limits) override;
  // False when all have said so.
  Result<bool> has(const ObjectName& name, const Limits& limits) override;
  // Each name once, as the nearest tier lists it.
  Status list(ObjectKind kind, const std::string& prefix, const Visit& visit, const Limits& limits) override;
  // From all that may be written.
  Status remove(const ObjectName& name, const Limits& limits) override;

 private:
  struct Row {
    std::unique_ptr<GuardedRemote> remote;
    bool reads, writes;
    std::atomic<uint64_t> fills{0}, failed_fills{0};
  };
  Limits share_of(size_t tier, const Limits& limits) const;
  bool is_distrusted(const ObjectName& name, size_t tier) const;
  Status put_to(size_t tier, const ObjectName& name, Source& source, const PutCondition& condition, const Limits& limits);

  Clock& clock_;
  const TiersSettings settings_;
  std::vector<std::unique_ptr<Row>> rows_;
  mutable std::mutex mutex_;
  std::set<std::pair<std::string, size_t>> distrusted_;  // by mutex_; not more than a few thousand
};

// Opens all of them: no request is made. `invalid` and the like name the remote that can not work.
Result<std::unique_ptr<Tiers>> open_tiers(const std::vector<RemoteSpec>& specs, const Env& env, Clock& clock, TiersSettings settings = {});

}  // namespace kache
