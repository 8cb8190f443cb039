// What a person or a log may see of one invocation while it runs and afterwards. All of it is off unless asked for: cargo
// keeps a wrapper's stderr with the unit and shows it again.
#pragma once

#include <optional>

#include "config/config.h"
#include "store/layout.h"
#include "wrapper/outcome.h"
#include "wrapper/pipeline.h"

namespace kache {

// Heartbeats into the event log (and, with KACHE_PROGRESS=all, on stderr) while a compile takes long.
class Progress final : public ProcessRunner::Ticker {
 public:
  // `outcome`: what is known of it before the compiler has run.
  Progress(World& world, const Config& config, const StoreLayout& layout, const Outcome& outcome)
      : world_(world), config_(config), layout_(layout), outcome_(outcome) {}
  void tick(int64_t elapsed_ns, int pid) override;

 private:
  World& world_;
  const Config& config_;
  const StoreLayout& layout_;
  const Outcome& outcome_;
  int64_t last_s_ = 0;
  std::optional<uint64_t> typical_s_;  // found out when it is first asked for
};

// One line on stderr: "[kache] serde: local hit (2ms, 1.2 MiB)"; with explain_miss, why it was a miss.
void show_progress(const Config& config, const Outcome& outcome, uint64_t elapsed_ms);

// One line in KACHE_LOG_FILE_PATH at the level that KACHE_LOG asks for.
void write_log(FileSystem& fs, const Config& config, Clock& clock, const Outcome& outcome, uint64_t elapsed_ms);

// "51s", "4m20s", "2h05m"
std::string format_duration(uint64_t seconds);
// "1.2 MiB"
std::string format_size(uint64_t bytes);

}  // namespace kache
