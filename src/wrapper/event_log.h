// events.jsonl: one line for each invocation, appended in one write. Field names are those of the reference program.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "config/config.h"
#include "wrapper/outcome.h"

namespace kache {

inline constexpr int kEventSchema = 15;

std::string format_event(const Outcome& outcome, int64_t ended_wall_ns, uint64_t elapsed_ms);
std::string format_heartbeat(const std::string& crate, const std::string& root, int pid, int64_t wall_ns,
                             uint64_t elapsed_s);

// Appends, and cuts the log to its newest lines when it has outgrown event_log_max_size.
void append_event(FileSystem& fs, const std::string& path, const Config& config, const std::string& line);

// `text` as the inside of a JSON string; bytes that are not UTF-8 become U+FFFD.
std::string json_escape(std::string_view text);

}  // namespace kache
