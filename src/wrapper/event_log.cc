#include "wrapper/event_log.h"

#include <algorithm>
#include <iterator>

#include "base/utf8.h"

namespace kache {
namespace {

class JsonLine {
 public:
  JsonLine& text(std::string_view name, std::string_view value) { return raw(name, "\"" + json_escape(value) + "\""); }
  JsonLine& text_unless_empty(std::string_view name, std::string_view value) {
    return value.empty() ? *this : text(name, value);
  }
  JsonLine& number(std::string_view name, uint64_t value) { return raw(name, std::to_string(value)); }
  JsonLine& raw(std::string_view name, std::string_view value) {
    line_ += line_.empty() ? "{\"" : ",\"";
    line_ += name;
    line_ += "\":";
    line_ += value;
    return *this;
  }
  std::string finish() { return line_ + "}\n"; }

 private:
  std::string line_;
};

uint64_t to_ms(uint64_t us) { return (us + 500) / 1000; }

void rotate(FileSystem& fs, const std::string& path, const Config& config) {
  Result<File> lock = lock_file(fs, path + ".lock", LockMode::try_exclusive);
  if (!lock.ok()) return;
  Result<std::string> bytes = read_file(fs, path, config.event_log_max_size * 4 + (64 << 20));
  if (!bytes.ok() || bytes->size() <= config.event_log_max_size) return;
  // From the end: so many lines, and no more than half the size, so that the next rotation is far.
  std::string_view all = *bytes;
  size_t start = all.size();
  for (uint64_t lines = 0; start > 0 && lines < config.event_log_keep_lines; ++lines) {
    size_t newline = start > 1 ? all.rfind('\n', start - 2) : std::string_view::npos;
    size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
    if (all.size() - line_start > config.event_log_max_size) break;
    start = line_start;
  }
  (void)replace_file(fs, path, all.substr(start), 0600);
}

std::string list_of(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "[\"" : ",\"") + json_escape(text) + "\"";
  return list.empty() ? "[]" : list + "]";
}

}  // namespace

std::string_view outcome_name(OutcomeKind kind) {
  static constexpr std::string_view kNames[] = {"local_hit", "dup", "miss", "error", "passthrough", "skipped"};
  return kNames[static_cast<size_t>(kind)];
}

std::string json_escape(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(text.size() + 8);
  while (!text.empty()) {
    size_t length = utf8_length(text);
    unsigned char c = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      length = 1;
    } else if (c == '"' || c == '\\') {
      out += {'\\', static_cast<char>(c)};
    } else if (c < 0x20) {
      out += {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string format_event(const Outcome& outcome, int64_t ended_wall_ns, uint64_t elapsed_ms) {
  JsonLine line;
  line.text("ts", format_time(ended_wall_ns)).text("crate_name", outcome.crate_name);
  line.text_unless_empty("root", outcome.root).text("version", KACHE_VERSION);
  line.text("result", outcome_name(outcome.kind)).number("elapsed_ms", elapsed_ms);
  line.number("compile_time_ms", outcome.compile_ms).number("size", outcome.size);
  line.text("cache_key", outcome.action_key).number("schema", kEventSchema);
  line.number("key_ms", to_ms(outcome.key_us)).number("lookup_ms", to_ms(outcome.lookup_us));
  line.number("restore_ms", to_ms(outcome.restore_us)).number("store_ms", to_ms(outcome.store_us));
  line.number("store_output_blobs", outcome.stored_blobs).number("store_new_blobs", outcome.new_blobs);
  line.number("store_duplicate_blobs", outcome.stored_blobs - outcome.new_blobs);
  line.number("compiler_runs", outcome.compiler_runs).number("preprocessor_runs", 0).number("probe_runs", 0);
  line.number("restored_linked", outcome.linked).number("restored_cloned", outcome.cloned);
  line.number("restored_copied", outcome.copied);
  line.text_unless_empty("invocation_key", outcome.invocation_key);
  line.text_unless_empty("crate_type", outcome.crate_type);
  if (outcome.refused) line.text("passthrough_reason", outcome.refused.reason());
  line.text_unless_empty("store_error", outcome.store_error);
  line.text_unless_empty("lookup_rejection", outcome.lookup_rejection);
  if (outcome.fallback) line.raw("fallback", "true");
  if (outcome.exit_code != 0) line.number("exit_code", static_cast<uint64_t>(outcome.exit_code));
  if (outcome.declared) line.raw("declared", "true");
  if (outcome.checked) line.raw("wrong", list_of(outcome.wrong));
  if (!outcome.miss_reasons.empty()) line.raw("miss_reason", list_of(outcome.miss_reasons));
  return line.finish();
}

std::string format_heartbeat(const std::string& crate, const std::string& root, int pid, int64_t wall_ns,
                             uint64_t elapsed_s) {
  JsonLine line;
  line.text("event", "heartbeat").text("ts", format_time(wall_ns)).text("crate_name", crate);
  line.text_unless_empty("root", root).number("pid", static_cast<uint64_t>(pid)).number("elapsed_s", elapsed_s);
  line.number("schema", 1);
  return line.finish();
}

void append_event(FileSystem& fs, const std::string& path, const Config& config, const std::string& line) {
  if (!fs.append(path, line).ok()) return;  // an event that can not be written is lost; the build is not
  Result<FileStat> stat = fs.stat(path);
  if (stat.ok() && stat->size > config.event_log_max_size) rotate(fs, path, config);
}

}  // namespace kache
