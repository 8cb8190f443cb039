// Reading events.jsonl: what happened to which unit, oldest first. Lines that are not events (heartbeats, torn lines,
// foreign ones) are passed over.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace kache {

struct BuildEvent {
  std::string ts, crate_name, root, result, cache_key, invocation_key, crate_type, passthrough_reason, store_error,
      lookup_rejection, version, session_id, build_tool;
  int64_t end_ns = 0;  // from ts
  uint64_t elapsed_ms = 0, compile_time_ms = 0, size = 0, key_ms = 0, lookup_ms = 0, restore_ms = 0, store_ms = 0;
  uint64_t key_us = 0, lookup_us = 0, restore_us = 0, store_us = 0;  // the same, finer where the line says it
  uint64_t store_output_blobs = 0, store_new_blobs = 0, store_duplicate_blobs = 0;
  uint64_t compiler_runs = 0, preprocessor_runs = 0, probe_runs = 0;
  uint64_t reflinked_bytes = 0, hardlinked_bytes = 0, copied_bytes = 0;                    // restored
  uint64_t store_reflinked_bytes = 0, store_hardlinked_bytes = 0, store_copied_bytes = 0;  // of new blobs
  bool fallback = false;
  bool trial = false;  // made by configure or a build script, to see whether it can be made
  int exit_code = 0;
  std::vector<std::string> miss_reasons;

  // A line may say anything; nothing takes two weeks.
  int64_t start_ns() const {
    return end_ns - static_cast<int64_t>(elapsed_ms < 1'000'000'000 ? elapsed_ms : 0) * 1'000'000;
  }
  bool is_hit() const { return result == "local_hit" || result == "prefetch_hit" || result == "remote_hit"; }
  bool is_compiled() const { return result == "miss" || result == "dup"; }
  bool is_failed_compile() const { return result == "error"; }
  // A compile that had to work: what a build is about.
  bool is_error() const { return is_failed_compile() && !trial; }
  // Of kache: a result that could not be kept, or one that was there and could not be used.
  bool is_fault() const { return !store_error.empty() || !lookup_rejection.empty(); }
  bool is_probe() const { return crate_name.empty() || crate_name == "___"; }
};

// A compile that has been running for long; written again and again while it does.
struct Heartbeat {
  std::string crate_name, root, session_id, build_tool;
  int64_t at_ns = 0;
  uint64_t pid = 0, elapsed_s = 0;
  uint64_t typical_s = 0;  // 0: not known

  int64_t start_ns() const {
    return at_ns - static_cast<int64_t>(elapsed_s < 1'000'000'000 ? elapsed_s : 0) * 1'000'000'000;
  }
};

// One line of the log. False: it is something else.
bool parse_event(const std::string& text, BuildEvent& event);
bool parse_heartbeat(const std::string& text, Heartbeat& heartbeat);

// Events that ended at or after `since_ns`; an absent log is an empty one.
Result<std::vector<BuildEvent>> read_events(FileSystem& fs, const std::string& path, int64_t since_ns);

// "2026-08-22T10:11:12.131415Z" → nanoseconds since the epoch; -1 when it is no such time.
int64_t parse_time(const std::string& text);
// "24h", "2w", "1h30m", "12" (hours) → nanoseconds; `invalid` otherwise.
Result<int64_t> parse_duration(const std::string& text);

}  // namespace kache
