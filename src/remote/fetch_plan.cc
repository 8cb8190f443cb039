#include "remote/fetch_plan.h"

#include <set>

namespace kache {
namespace {

// Makes a plan of sessions, within a budget.
class Planner {
 public:
  Planner(FileSystem& fs, const StoreLayout& layout, const PlanLimits& limits) : fs_(fs), layout_(layout), limits_(limits) {}

  // A pack at least half of which is of use. What else it has is moved for nothing.
  void add_packs(const RecordedSession& session, const Trust& trust) {
    for (size_t i = 0; i < session.packs.size(); ++i) {
      const PackRef& pack = session.packs[i];
      if (trust.requires_signature && !(pack.signer && trust.knows(*pack.signer))) continue;
      PlannedPack planned{pack, {}};
      uint64_t size = 0;
      for (const SessionUnit& unit : session.units) {
        if (unit.pack != i + 1 || seen_.count(unit.action) != 0 || is_here(unit)) continue;
        planned.units.push_back(unit);
        size += unit.size;
      }
      if (planned.units.empty() || size < pack.output_bytes / 2 || !fits(planned.units.size(), pack.output_bytes)) continue;
      for (const SessionUnit& unit : planned.units) seen_.insert(unit.action);
      keys_ += planned.units.size();
      bytes_ += pack.output_bytes;
      plan_.packs.push_back(std::move(planned));
    }
  }

  void add_units(std::vector<SessionUnit> units) {
    for (SessionUnit& unit : units) {
      if (!seen_.insert(unit.action).second) continue;
      if (is_here(unit)) plan_.known++;
      else if (!fits(1, unit.size)) plan_.over_budget++;
      else {
        keys_++;
        bytes_ += unit.size;
        plan_.units.push_back(std::move(unit));
      }
    }
  }

  FetchPlan take() { return std::move(plan_); }

 private:
  bool is_here(const SessionUnit& unit) { return fs_.stat(layout_.entry(unit.action)).ok(); }
  bool fits(uint64_t keys, uint64_t bytes) const {
    return (limits_.keys == 0 || keys_ + keys <= limits_.keys) && (limits_.bytes == 0 || bytes <= limits_.bytes - bytes_);
  }

  FileSystem& fs_;
  const StoreLayout& layout_;
  const PlanLimits& limits_;
  FetchPlan plan_;
  std::set<ActionKey> seen_;
  uint64_t keys_ = 0, bytes_ = 0;  // of what is planned; bytes_ never above the limit
};

}  // namespace

size_t FetchPlan::count() const {
  size_t count = units.size();
  for (const PlannedPack& pack : packs) count += pack.units.size();
  return count;
}

Result<FetchPlan> plan_fetch(FileSystem& fs, const StoreLayout& layout, Tiers& remote, const Namespace& name, const PlanLimits& plan, const Trust* trust,
                             const Limits& limits) {
  std::vector<RecordedSession> sessions = KACHE_TRY(newest_sessions(remote, name, plan.sessions, limits));
  Planner planner(fs, layout, plan);
  for (const RecordedSession& session : sessions) {
    if (trust) planner.add_packs(session, *trust);
  }
  for (RecordedSession& session : sessions) planner.add_units(std::move(session.units));
  FetchPlan fetch = planner.take();
  fetch.sessions = sessions.size();
  return fetch;
}

FetchPlan lacking(FileSystem& fs, const StoreLayout& layout, std::vector<SessionUnit> units, const PlanLimits& plan) {
  Planner planner(fs, layout, plan);
  planner.add_units(std::move(units));
  return planner.take();
}

}  // namespace kache
