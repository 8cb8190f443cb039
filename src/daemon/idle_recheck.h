// IdleRecheck: has what waits in v1/recheck compiled again when the machine has nothing else to do: by a process of its own
// (kache remote verify --idle), one at a time.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/env.h"
#include "base/file_system.h"
#include "store/layout.h"

namespace kache {

// The load of the last minute is below a quarter of the processors; `own`: how much of it may be the caller's. KACHE_IDLE_LOAD
// is another bound, for tests and for machines that are never so quiet.
bool is_machine_idle(const Env& env, double own);
// The same of a load; exposed for tests.
bool is_idle_load(double load, unsigned processors, std::string_view bound, double own);

class IdleRecheck {
 public:
  IdleRecheck(FileSystem& fs, Clock& clock, const StoreLayout& layout, std::string tool, const Env& env)
      : fs_(fs), clock_(clock), layout_(layout), tool_(std::move(tool)), env_(env) {}

  // To be called about once a second. `is_quiet`: the daemon has nothing to do.
  void look(bool is_quiet);

 private:
  bool has_work() const;

  FileSystem& fs_;
  Clock& clock_;
  const StoreLayout& layout_;
  std::string tool_;
  const Env& env_;
  int64_t quiet_since_ns_ = 0, looked_ns_ = 0;
};

}  // namespace kache
