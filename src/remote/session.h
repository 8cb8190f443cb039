// Sessions: what a build asked for, in order. They are kept in the remote, one immutable object for each build, and tell the
// next machine what to fetch before it asks. Frame KREMOT01 around the format in docs/formats.md.
//
// Who believes a session may fetch for nothing; what it fetches is checked as everything is.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "base/file_system.h"
#include "remote/tiers.h"
#include "store/layout.h"

namespace kache {

struct SessionUnit {
  InvocationKey invocation;
  ActionKey action;
  std::string crate_name;
  uint64_t compile_ms = 0, size = 0;
  uint32_t offset_ms = 0;  // since the build began
};

struct RecordedSession {
  std::string space, branch;  // branch: "" where that is not known
  int64_t created_ns = 0;
  std::vector<SessionUnit> units;
};

std::string encode_session(const RecordedSession& session);
Result<RecordedSession> decode_session(std::string_view payload);

// A name under which newer ones are listed first: the seconds until the year 2286, and chance.
std::string session_word(int64_t created_ns, uint64_t chance);

// What belongs together: KACHE_NAMESPACE, else the origin of the git repository at `root`, else the name of that directory. The
// same on every machine. And the branch that is checked out.
struct Namespace {
  std::string space, branch;
};
Namespace namespace_of(FileSystem& fs, std::string_view given, const std::string& root);

// Stores a session; nothing is there before it is whole. Returns its word.
Result<std::string> save_session(Tiers& remote, const RecordedSession& session, uint64_t chance, const Limits& limits);

struct PlanLimits {
  size_t sessions = 3;  // of the branch, and as many of others
  uint64_t keys = 2000, bytes = uint64_t{2} << 30;  // 0: no limit
};
struct FetchPlan {
  std::vector<SessionUnit> units;  // that are not here, those that are needed first first
  size_t sessions = 0;             // that it is made from
  uint64_t over_budget = 0;        // units that were left out
  uint64_t known = 0;              // that are here
};
// Of these, each once, what is not here and fits.
FetchPlan lacking(FileSystem& fs, const StoreLayout& layout, std::vector<SessionUnit> units, const PlanLimits& plan);
// From the newest sessions of the branch, and then of others.
Result<FetchPlan> plan_fetch(FileSystem& fs, const StoreLayout& layout, Tiers& remote, const Namespace& name, const PlanLimits& plan, const Limits& limits);

}  // namespace kache
