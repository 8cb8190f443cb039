#include "wrapper/trial.h"

namespace kache {

// Cargo tells a build script how many jobs it may run, and every rustc that it starts itself what the crate is called.
bool is_trial(const Invocation& invocation, const Env& env) {
  if (invocation.family != Family::rustc) return invocation.cc.is_configure_probe;
  return env.has("OUT_DIR") && env.has("NUM_JOBS") && !env.has("CARGO_CRATE_NAME");
}

}  // namespace kache
