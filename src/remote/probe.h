// Probe: whether a remote can be written, read and cleaned, seen by doing it once with something small.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "remote/remote.h"

namespace kache {

struct ProbeStep {
  const char* what;     // "put", "get", "delete"
  std::string problem;  // "" when it went well
  int64_t took_ms = 0;
};
struct ProbeReport {
  std::vector<ProbeStep> steps;
  bool is_good() const;
  std::string problem() const;  // the first one, "" for none
};

// Of a remote that is only read: one get. Nothing stays behind unless the remote fails half-way.
ProbeReport probe_remote(Remote& remote, Clock& clock, bool reads, bool writes, int64_t timeout_ns);

}  // namespace kache
