#include "remote/session_packs.h"

#include <algorithm>
#include <map>
#include <set>

namespace kache {
namespace {

constexpr uint64_t kLeastUseful = 6;  // tenths of a pack

void add_pack(RecordedSession& session, const PackRef& pack, const std::set<ActionKey>& members) {
  session.packs.push_back(pack);
  for (SessionUnit& unit : session.units) {
    if (unit.pack == 0 && members.count(unit.action) != 0) unit.pack = static_cast<uint32_t>(session.packs.size());
  }
}

// One after the other. Too little for a pack is left alone, but not what did not fit into one: that is of the same build.
Status make_packs(Exchange& exchange, RecordedSession& session, SavedSession& saved, const Limits& limits) {
  std::vector<PackedUnit> units;
  for (const SessionUnit& unit : session.units) {
    if (unit.pack == 0) units.push_back({unit.invocation, unit.action});
  }
  while (units.size() >= kFewestPackedUnits || (saved.new_packs > 0 && !units.empty())) {
    PublishedPack made = KACHE_TRY(exchange.publish_pack(units, limits));
    if (!made.units.empty()) {
      saved.new_packs++;
      add_pack(session, made.pack, made.units);
    }
    units.erase(units.begin(), units.begin() + static_cast<ptrdiff_t>(made.looked_at));
  }
  return Ok{};
}

}  // namespace

void keep_packs(const RecordedSession& earlier, RecordedSession& session) {
  std::map<ActionKey, const SessionUnit*> before;
  for (const SessionUnit& unit : earlier.units) before[unit.action] = &unit;
  std::vector<uint64_t> used(earlier.packs.size() + 1);
  std::vector<std::set<ActionKey>> members(earlier.packs.size() + 1);
  for (const SessionUnit& unit : session.units) {
    auto known = before.find(unit.action);
    if (known == before.end() || known->second->pack == 0) continue;
    used[known->second->pack] += unit.size;
    members[known->second->pack].insert(unit.action);
  }
  std::vector<size_t> kept;
  for (size_t i = 1; i <= earlier.packs.size(); ++i) {
    bool is_useful = !members[i].empty() && used[i] >= earlier.packs[i - 1].output_bytes / 10 * kLeastUseful;
    if (is_useful) kept.push_back(i);
  }
  std::stable_sort(kept.begin(), kept.end(), [&](size_t a, size_t b) { return used[a] > used[b]; });
  if (kept.size() > kMostKeptPacks) kept.resize(kMostKeptPacks);
  std::sort(kept.begin(), kept.end());  // in the order of the build
  for (size_t i : kept) add_pack(session, earlier.packs[i - 1], members[i]);
}

Result<SavedSession> publish_session(Exchange& exchange, Tiers& remote, RecordedSession session, uint64_t chance, bool with_packs, const Limits& limits) {
  SavedSession saved;
  uint64_t largest = remote.largest_object();
  if (with_packs && (largest == 0 || largest >= kPackTarget)) {
    Result<std::vector<RecordedSession>> earlier = newest_sessions(remote, {session.space, session.branch}, 1, limits);
    if (earlier.ok() && !earlier->empty()) keep_packs(earlier->front(), session);
    // A remote that can not list tells nobody of its sessions.
    Status made = earlier.ok() ? make_packs(exchange, session, saved, limits) : Status(std::move(earlier).error());
    if (!made.ok()) saved.problem = made.error().message;
  }
  saved.packed_units = static_cast<uint64_t>(std::count_if(session.units.begin(), session.units.end(), [](const SessionUnit& unit) { return unit.pack != 0; }));
  saved.word = KACHE_TRY(save_session(remote, session, chance, limits));
  return saved;
}

}  // namespace kache
