#include "index/events.h"

#include <time.h>

#include <nlohmann/json.hpp>

#include "base/duration.h"
#include "index/log_lines.h"

namespace kache {
namespace {

using nlohmann::json;

template <typename T>
void take(const json& line, const char* name, T& value) {
  auto field = line.find(name);
  if (field == line.end()) return;
  if constexpr (std::is_same_v<T, std::string>) {
    if (field->is_string()) value = field->get<std::string>();
  } else if constexpr (std::is_same_v<T, bool>) {
    if (field->is_boolean()) value = field->get<bool>();
  } else {
    if (field->is_number_integer()) value = field->get<T>();
  }
}

}  // namespace

bool parse_event(const std::string& text, BuildEvent& event) {
  json line = json::parse(text, nullptr, false);
  // A writer that was killed, or had no more room, left a piece before the line.
  size_t last = text.rfind("{\"ts\":");
  if (!line.is_object() && last != std::string::npos) line = json::parse(text.substr(last), nullptr, false);
  if (!line.is_object()) return false;
  for (const char* required : {"ts", "crate_name", "result", "elapsed_ms", "size"}) {
    if (!line.contains(required)) return false;
  }
#define KACHE_TAKE(field) take(line, #field, event.field);
  KACHE_TAKE(ts) KACHE_TAKE(crate_name) KACHE_TAKE(root) KACHE_TAKE(version) KACHE_TAKE(result)
  KACHE_TAKE(cache_key) KACHE_TAKE(invocation_key) KACHE_TAKE(crate_type)
  KACHE_TAKE(passthrough_reason) KACHE_TAKE(store_error) KACHE_TAKE(lookup_rejection)
  KACHE_TAKE(session_id) KACHE_TAKE(build_tool)
  KACHE_TAKE(elapsed_ms) KACHE_TAKE(compile_time_ms) KACHE_TAKE(size)
  KACHE_TAKE(key_ms) KACHE_TAKE(lookup_ms) KACHE_TAKE(restore_ms) KACHE_TAKE(store_ms)
  event.key_us = event.key_ms * 1000, event.lookup_us = event.lookup_ms * 1000;
  event.restore_us = event.restore_ms * 1000, event.store_us = event.store_ms * 1000;
  KACHE_TAKE(key_us) KACHE_TAKE(lookup_us) KACHE_TAKE(restore_us) KACHE_TAKE(store_us)
  KACHE_TAKE(store_output_blobs) KACHE_TAKE(store_new_blobs) KACHE_TAKE(store_duplicate_blobs)
  KACHE_TAKE(compiler_runs) KACHE_TAKE(preprocessor_runs) KACHE_TAKE(probe_runs)
  KACHE_TAKE(reflinked_bytes) KACHE_TAKE(hardlinked_bytes) KACHE_TAKE(copied_bytes)
  KACHE_TAKE(store_reflinked_bytes) KACHE_TAKE(store_hardlinked_bytes) KACHE_TAKE(store_copied_bytes)
  KACHE_TAKE(fallback) KACHE_TAKE(trial) KACHE_TAKE(exit_code)
#undef KACHE_TAKE
  auto reasons = line.find("miss_reason");
  if (reasons != line.end() && reasons->is_array()) {
    for (const json& reason : *reasons) {
      if (reason.is_string()) event.miss_reasons.push_back(reason.get<std::string>());
    }
  }
  event.end_ns = parse_time(event.ts);
  return event.end_ns >= 0;
}

bool parse_heartbeat(const std::string& text, Heartbeat& heartbeat) {
  json line = json::parse(text, nullptr, false);
  if (!line.is_object() || !line.contains("event") || line["event"] != "heartbeat") return false;
  std::string ts;
  take(line, "ts", ts);
  take(line, "crate_name", heartbeat.crate_name);
  take(line, "root", heartbeat.root);
  take(line, "session_id", heartbeat.session_id);
  take(line, "build_tool", heartbeat.build_tool);
  take(line, "pid", heartbeat.pid);
  take(line, "elapsed_s", heartbeat.elapsed_s);
  take(line, "typical_s", heartbeat.typical_s);
  heartbeat.at_ns = parse_time(ts);
  return heartbeat.at_ns >= 0;
}

int64_t parse_time(const std::string& text) {
  tm parts = {};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  // Nanoseconds since the epoch end in 2262.
  if (!rest || parts.tm_year < 70 || parts.tm_year > 350) return -1;
  int64_t fraction = 0, scale = 100'000'000;
  if (*rest == '.') {
    for (++rest; *rest >= '0' && *rest <= '9'; ++rest, scale /= 10) fraction += (*rest - '0') * scale;
  }
  if (std::string(rest) != "Z" && std::string(rest) != "+00:00") return -1;
  return int64_t{::timegm(&parts)} * 1'000'000'000 + fraction;
}

Result<int64_t> parse_duration(const std::string& text) {
  constexpr int64_t kHourNs = int64_t{3600} * 1'000'000'000;
  Result<int64_t> span = parse_duration(text, kHourNs);
  if (span.ok()) return span;
  return Error{ErrorCode::invalid, 0, "\"" + text + "\" is not " + span.error().message + "; a bare number means hours"};
}

Result<std::vector<BuildEvent>> read_events(FileSystem& fs, const std::string& path, int64_t since_ns) {
  std::vector<BuildEvent> events;
  KACHE_TRY(each_line(fs, path, [&](const std::string& line) {
    BuildEvent event;
    if (parse_event(line, event) && event.end_ns >= since_ns) events.push_back(std::move(event));
  }));
  return events;
}

}  // namespace kache
