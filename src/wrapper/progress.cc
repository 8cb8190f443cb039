#include "wrapper/progress.h"

#include <algorithm>

#include "wrapper/event_log.h"

namespace kache {
namespace {

std::string two_digits(uint64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); }

// "remote hit"
std::string label(OutcomeKind kind) {
  std::string name(outcome_name(kind));
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

bool is_shown(ProgressMode mode, OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::local_hit:
    case OutcomeKind::prefetch_hit:
    case OutcomeKind::remote_hit:
    case OutcomeKind::error: return mode != ProgressMode::off;
    case OutcomeKind::dup:
    case OutcomeKind::miss: return mode == ProgressMode::all;
    case OutcomeKind::passthrough:
    case OutcomeKind::skipped: return false;
  }
  return false;
}

std::string reasons(const Outcome& outcome) {
  std::string text;
  for (const std::string& reason : outcome.miss_reasons) text += (text.empty() ? "" : ", ") + reason;
  return text.empty() ? "nothing stored for this command line" : "changed: " + text;
}

std::string summary(const Outcome& outcome, uint64_t elapsed_ms) {
  std::string took = elapsed_ms < 1000 ? std::to_string(elapsed_ms) + "ms"
                                       : std::to_string(elapsed_ms / 1000) + "." +
                                             std::to_string(elapsed_ms % 1000 / 100) + "s";
  std::string text = outcome.crate_name + ": " + label(outcome.kind) + " (" + took;
  if (outcome.size > 0) text += ", " + format_size(outcome.size);
  return text + ")";
}

}  // namespace

std::string format_duration(uint64_t seconds) {
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m" + two_digits(seconds % 60) + "s";
  return std::to_string(seconds / 3600) + "h" + two_digits(seconds % 3600 / 60) + "m";
}

std::string format_size(uint64_t bytes) {
  static constexpr std::string_view kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  uint64_t tenths = bytes * 10;
  while (tenths >= 10240 && unit + 1 < std::size(kUnits)) {
    tenths /= 1024;
    ++unit;
  }
  std::string text = std::to_string(tenths / 10);
  if (unit > 0) text += "." + std::to_string(tenths % 10);
  return text + " " + std::string(kUnits[unit]);
}

void Progress::tick(int64_t elapsed_ns, int pid) {
  int64_t elapsed_s = elapsed_ns / 1'000'000'000;
  int64_t cadence = static_cast<int64_t>(config_.heartbeat_secs);
  if (cadence == 0 || elapsed_s - last_s_ < cadence) return;
  last_s_ = elapsed_s;
  uint64_t seconds = static_cast<uint64_t>(elapsed_s);
  if (!typical_s_) typical_s_ = (typical_compile_ms(world_.fs, layout_.events(), outcome_.crate_name, outcome_.root) + 999) / 1000;
  append_event(world_.fs, layout_.events(), config_,
               format_heartbeat(outcome_, pid, world_.clock.wall_ns(), seconds, *typical_s_));
  if (config_.progress != ProgressMode::all) return;
  std::string text = "[kache] still compiling " + outcome_.crate_name + " - " + format_duration(seconds) + " elapsed";
  if (*typical_s_ > 0) {
    uint64_t left = *typical_s_ > seconds ? *typical_s_ - seconds : 0;
    text += " (typical: " + format_duration(*typical_s_) + ", ETA " + format_duration(left) + ")";
  }
  write_fully(2, text + "\n");
}

void show_progress(const Config& config, const Outcome& outcome, uint64_t elapsed_ms) {
  if (is_shown(config.progress, outcome.kind)) write_fully(2, "[kache] " + summary(outcome, elapsed_ms) + "\n");
  if (config.explain_miss && outcome.kind == OutcomeKind::miss) {
    write_fully(2, std::string("[kache] miss: ") + (outcome.is_crate ? "crate " : "") + outcome.crate_name + " (" + reasons(outcome) + ")\n");
  }
}

void write_log(FileSystem& fs, const Config& config, Clock& clock, const Outcome& outcome, uint64_t elapsed_ms) {
  enum : uint8_t { kError = 1, kWarn = 2, kInfo = 3 };
  bool failed = !outcome.store_error.empty() || !outcome.lookup_rejection.empty();
  uint8_t level = failed ? kWarn : kInfo;
  if (config.log_file.empty() || config.log_level < level) return;
  std::string line = format_time(clock.wall_ns()) + (failed ? " WARN " : " INFO ") + summary(outcome, elapsed_ms);
  if (outcome.kind == OutcomeKind::miss) line += " " + reasons(outcome);
  if (outcome.refused) line += " not stored: " + outcome.refused.reason();
  if (!outcome.store_error.empty()) line += " store: " + outcome.store_error;
  if (!outcome.lookup_rejection.empty()) line += " rejected: " + outcome.lookup_rejection;
  (void)fs.append(config.log_file, line + "\n");
}

}  // namespace kache
