// Planner: somebody's service that says what a build will need (`POST /v2/prefetch-plan`, the Rust program's protocol). An
// advisor: when it is slow, fails or has nothing to say, the sessions in the remote are asked as if it were not there.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "remote/http.h"
#include "remote/session.h"

namespace kache {

struct Advice {
  enum Kind : uint8_t { none, execute, do_nothing } kind = none;  // none: plan without it
  std::vector<SessionUnit> units;  // only their action keys are known, and may be of nothing
  std::string problem;             // why there is none, where something is wrong
};

// `root`: where the build's Cargo.lock is looked for.
Advice ask_planner(Http& http, FileSystem& fs, Clock& clock, const Config& config, const std::string& space, const std::string& root);
// What a planner answered.
Advice read_advice(std::string_view body);

}  // namespace kache
