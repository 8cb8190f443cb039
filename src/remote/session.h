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
#include "remote/pack.h"
#include "remote/tiers.h"
#include "store/layout.h"

namespace kache {

struct SessionUnit {
  InvocationKey invocation;
  ActionKey action;
  std::string crate_name;
  uint64_t compile_ms = 0, size = 0;
  uint32_t offset_ms = 0;  // since the build began
  uint32_t pack = 0;       // which of the session's packs it is in, from 1; 0: none
};

struct RecordedSession {
  std::string space, branch;  // branch: "" where that is not known
  int64_t created_ns = 0;
  std::vector<SessionUnit> units;
  std::vector<PackRef> packs = {};
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

// The newest sessions first: of the branch, then of others; at most `most` of each.
Result<std::vector<RecordedSession>> newest_sessions(Tiers& remote, const Namespace& name, size_t most, const Limits& limits);

// Stores a session; nothing is there before it is whole. Returns its word.
Result<std::string> save_session(Tiers& remote, const RecordedSession& session, uint64_t chance, const Limits& limits);

}  // namespace kache
