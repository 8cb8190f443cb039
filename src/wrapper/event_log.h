// events.jsonl: one line for each invocation, appended in one write. Field names are those of the reference program.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "config/config.h"
#include "wrapper/outcome.h"

namespace kache {

inline constexpr int kEventSchema = 16;

std::string format_event(const Outcome& outcome, int64_t ended_wall_ns, uint64_t elapsed_ms);
// `typical_s`: how long this unit's compiles took before; 0 when that is not known.
std::string format_heartbeat(const Outcome& outcome, int pid, int64_t wall_ns, uint64_t elapsed_s, uint64_t typical_s);

// The median of the newest twenty compiles of this crate in this tree, without outliers; 0 when there were none. Reads
// the end of the log only.
uint64_t typical_compile_ms(FileSystem& fs, const std::string& path, const std::string& crate, const std::string& root);

// Appends. A log that has outgrown event_log_max_size is cut to its newest lines: as many as fill half of that, so that a
// large build does not lose its own beginning, and at least event_log_keep_lines if they fit at all.
void append_event(FileSystem& fs, const std::string& path, const Config& config, const std::string& line);

// `text` as the inside of a JSON string; bytes that are not UTF-8 become U+FFFD.
std::string json_escape(std::string_view text);

}  // namespace kache
