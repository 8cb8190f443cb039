// A session and its packs, as they are kept in a remote when a build has ended.
//
// Packs of an earlier session stay in use as long as most of what they hold is asked for; what is in none of them is packed anew,
// where it is enough to be worth an object. Where nothing can be packed the session is kept without.
#pragma once

#include "remote/exchange.h"
#include "remote/session.h"

namespace kache {

struct SavedSession {
  std::string word;
  uint64_t new_packs = 0, packed_units = 0;  // of all units, those in new and old packs
  std::string problem;                       // why there are fewer packs than there should be, "" if there are not
};

// `session` has no packs yet. `exchange`: where the results are, and with whose signature they go out.
Result<SavedSession> publish_session(Exchange& exchange, Tiers& remote, RecordedSession session, uint64_t chance, bool with_packs, const Limits& limits);

// Marks in `session` what is in packs of an earlier one that are worth keeping.
void keep_packs(const RecordedSession& earlier, RecordedSession& session);

// Fewer units than these are fetched one by one.
inline constexpr size_t kFewestPackedUnits = 8;
// Of the packs that are kept; above that the least useful are made anew.
inline constexpr size_t kMostKeptPacks = 64;

}  // namespace kache
