// Garbage of a remote: results that no build has asked for lately, and what only they led to.
//
// A result stays when it was written within the limit, or a session of that time names it. Then what no result names any more
// goes: outputs, packs of builds, and input sets all of whose results are gone. What is younger than the grace is never touched, and ages are
// told by the remote's own clock; so it may run beside builds that publish. One runs at a time: a lease under k1/control.
#pragma once

#include "base/clock.h"
#include "remote/remote.h"

namespace kache {

struct RemoteGcLimits {
  int64_t max_age_ns = 0;
  int64_t grace_ns = 0;
  bool dry_run = false;
};

struct RemoteGcReport {
  uint64_t records = 0, traces = 0, blobs = 0, sessions = 0, packs = 0;  // removed
  uint64_t bytes = 0;
  uint64_t kept_records = 0;
};

// `busy`: another one holds the lease. `unsupported`: this remote does not tell how old its objects are.
Result<RemoteGcReport> collect_remote(Remote& remote, Clock& clock, const RemoteGcLimits& limits);

inline constexpr int64_t kLeaseNs = int64_t{3600} * 1'000'000'000;

}  // namespace kache
