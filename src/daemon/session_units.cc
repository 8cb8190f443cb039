#include "daemon/session_units.h"

#include <algorithm>
#include <set>

namespace kache {

std::vector<SessionUnit> session_units(const std::vector<BuildEvent>& events) {
  std::vector<SessionUnit> units;
  std::set<ActionKey> seen;
  int64_t begin = INT64_MAX;
  for (const BuildEvent& event : events) begin = std::min(begin, event.start_ns());
  for (const BuildEvent& event : events) {
    SessionUnit unit;
    bool has_keys = Digest::parse_hex(event.cache_key, unit.action.digest) && Digest::parse_hex(event.invocation_key, unit.invocation.digest);
    if (!has_keys || !(event.is_hit() || event.is_compiled()) || !seen.insert(unit.action).second) continue;
    unit.crate_name = event.crate_name;
    unit.compile_ms = event.compile_time_ms;
    unit.size = event.size;
    unit.offset_ms = static_cast<uint32_t>(std::clamp<int64_t>((event.start_ns() - begin) / 1'000'000, 0, UINT32_MAX));
    units.push_back(std::move(unit));
  }
  std::stable_sort(units.begin(), units.end(), [](const SessionUnit& a, const SessionUnit& b) { return a.offset_ms < b.offset_ms; });
  return units;
}

}  // namespace kache
