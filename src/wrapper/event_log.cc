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

// Where the newest lines begin that fit in `size` bytes; more than that when there are fewer than `lines` of them.
size_t start_of_tail(std::string_view all, uint64_t size, uint64_t lines, uint64_t most) {
  size_t start = all.size();
  for (uint64_t kept = 0; start > 0; ++kept) {
    size_t newline = start > 1 ? all.rfind('\n', start - 2) : std::string_view::npos;
    size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
    uint64_t bytes = all.size() - line_start;
    if (bytes > most || (bytes > size && kept >= lines)) break;
    start = line_start;
  }
  return start;
}

void rotate(FileSystem& fs, const std::string& path, const Config& config) {
  Result<File> lock = lock_file(fs, path + ".lock", LockMode::try_exclusive);
  if (!lock.ok()) return;
  Result<File> log = open_file(fs, path);
  if (!log.ok()) return;
  uint64_t most = config.event_log_max_size;
  Result<std::string> bytes = read_handle(fs, log->handle(), most * 4 + (64 << 20));
  if (!bytes.ok() || bytes->size() <= most) return;
  size_t start = start_of_tail(*bytes, most / 2, config.event_log_keep_lines, most);
  if (!replace_file(fs, path, std::string_view(*bytes).substr(start), 0600).ok()) return;
  // What others appended to the old log meanwhile.
  std::string late(1 << 20, '\0');
  Result<size_t> got = fs.read_at(log->handle(), bytes->size(), late.data(), late.size());
  if (got.ok() && *got > 0) (void)fs.append(path, std::string_view(late).substr(0, *got));
}

// The number behind `"name":` in a line of ours; -1 when there is none.
int64_t number_in(std::string_view line, std::string_view name) {
  size_t at = line.find(name);
  if (at == std::string_view::npos) return -1;
  int64_t number = -1;
  for (char c : line.substr(at + name.size(), 15)) {
    if (c < '0' || c > '9') break;
    number = (number < 0 ? 0 : number * 10) + (c - '0');
  }
  return number;
}

// Dropped is what lies more than three standard deviations from the mean.
uint64_t median_without_outliers(std::vector<uint64_t> times) {
  if (times.empty()) return 0;
  double count = static_cast<double>(times.size()), sum = 0, squares = 0;
  for (uint64_t time : times) sum += static_cast<double>(time);
  double mean = sum / count;
  auto off = [&](uint64_t time) { return static_cast<double>(time) - mean; };
  for (uint64_t time : times) squares += off(time) * off(time);
  std::erase_if(times, [&](uint64_t time) { return off(time) * off(time) > 9 * squares / count && squares > 0; });
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

std::string list_of(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "[\"" : ",\"") + json_escape(text) + "\"";
  return list.empty() ? "[]" : list + "]";
}

std::string fields_of(const std::vector<KeyField>& fields) {
  std::string map;
  for (const KeyField& field : fields) {
    map += map.empty() ? "{\"" : ",\"";
    map.append(field.group).append("\":\"").append(field.digest) += '"';
  }
  return map + "}";
}

}  // namespace

std::string_view outcome_name(OutcomeKind kind) {
  static constexpr std::string_view kNames[] = {"local_hit", "prefetch_hit", "remote_hit", "dup", "miss", "error", "passthrough", "skipped"};
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
  line.text_unless_empty("session_id", outcome.build.session).text_unless_empty("build_tool", outcome.build.tool);
  line.number("key_ms", to_ms(outcome.key_us)).number("lookup_ms", to_ms(outcome.lookup_us));
  line.number("restore_ms", to_ms(outcome.restore_us)).number("store_ms", to_ms(outcome.store_us));
  // Of a hit all of these are about a millisecond in sum.
  line.number("key_us", outcome.key_us).number("lookup_us", outcome.lookup_us);
  line.number("restore_us", outcome.restore_us).number("store_us", outcome.store_us);
  line.number("store_output_blobs", outcome.stored_blobs).number("store_new_blobs", outcome.new_blobs);
  line.number("store_duplicate_blobs", outcome.stored_blobs - outcome.new_blobs);
  line.number("compiler_runs", outcome.compiler_runs).number("preprocessor_runs", outcome.preprocessor_runs);
  line.number("probe_runs", outcome.probe_runs);
  line.number("key_hash_hits", outcome.digests_known).number("key_hash_misses", outcome.digests_read);
  line.number("key_hash_bytes", outcome.digest_bytes);
  line.number("reflinked_bytes", outcome.cloned_bytes).number("hardlinked_bytes", outcome.linked_bytes);
  line.number("copied_bytes", outcome.copied_bytes);
  line.number("store_reflinked_bytes", outcome.stored_cloned_bytes);
  line.number("store_hardlinked_bytes", outcome.stored_linked_bytes);
  line.number("store_copied_bytes", outcome.stored_copied_bytes);
  line.number("restored_linked", outcome.linked).number("restored_cloned", outcome.cloned);
  line.number("restored_copied", outcome.copied);
  line.text_unless_empty("invocation_key", outcome.invocation_key);
  line.text_unless_empty("crate_type", outcome.crate_type);
  if (outcome.refused) line.text("passthrough_reason", outcome.refused.reason());
  line.text_unless_empty("store_error", outcome.store_error);
  if (outcome.remote_us > 0) line.number("remote_ms", to_ms(outcome.remote_us));
  line.text_unless_empty("remote_error", outcome.remote_problem);
  line.text_unless_empty("lookup_rejection", outcome.lookup_rejection);
  if (outcome.fallback) line.raw("fallback", "true");
  if (outcome.exit_code != 0) line.number("exit_code", static_cast<uint64_t>(outcome.exit_code));
  if (!outcome.key_fields.empty()) line.raw("key_fields", fields_of(outcome.key_fields));
  if (outcome.declared) line.raw("declared", "true");
  if (outcome.is_trial) line.raw("trial", "true");
  if (outcome.checked) line.raw("wrong", list_of(outcome.wrong));
  if (!outcome.miss_reasons.empty()) line.raw("miss_reason", list_of(outcome.miss_reasons));
  return line.finish();
}

std::string format_heartbeat(const Outcome& outcome, int pid, int64_t wall_ns, uint64_t elapsed_s, uint64_t typical_s) {
  JsonLine line;
  line.text("event", "heartbeat").text("ts", format_time(wall_ns)).text("crate_name", outcome.crate_name);
  line.text_unless_empty("root", outcome.root).number("pid", static_cast<uint64_t>(pid)).number("elapsed_s", elapsed_s);
  line.text_unless_empty("session_id", outcome.build.session).text_unless_empty("build_tool", outcome.build.tool);
  if (typical_s > 0) {
    line.number("typical_s", typical_s).number("eta_s", typical_s > elapsed_s ? typical_s - elapsed_s : 0);
  }
  line.number("schema", 1);
  return line.finish();
}

uint64_t typical_compile_ms(FileSystem& fs, const std::string& path, const std::string& crate, const std::string& root) {
  constexpr uint64_t kTail = 4 << 20;
  constexpr size_t kMostCompiles = 20;
  Result<FileStat> stat = fs.stat(path);
  Result<File> log = open_file(fs, path);
  if (!stat.ok() || !log.ok()) return 0;
  std::string bytes(std::min(stat->size, kTail), '\0');
  Result<size_t> got = fs.read_at(log->handle(), stat->size - bytes.size(), bytes.data(), bytes.size());
  if (!got.ok()) return 0;
  std::string_view rest = std::string_view(bytes).substr(0, *got);
  std::string is_crate = "\"crate_name\":\"" + json_escape(crate) + "\"", in_root = "\"root\":\"" + json_escape(root) + "\"";
  std::vector<uint64_t> times;
  while (!rest.empty() && times.size() < kMostCompiles) {
    size_t newline = rest.rfind('\n', rest.size() - 1);
    std::string_view line = newline == std::string_view::npos ? rest : rest.substr(newline + 1);
    rest = newline == std::string_view::npos ? std::string_view() : rest.substr(0, newline);
    bool compiled = line.find("\"result\":\"miss\"") != line.npos || line.find("\"result\":\"dup\"") != line.npos;
    if (!compiled || line.find(is_crate) == line.npos || (!root.empty() && line.find(in_root) == line.npos)) continue;
    int64_t ms = number_in(line, "\"compile_time_ms\":");
    if (ms >= 0) times.push_back(static_cast<uint64_t>(ms));
  }
  return median_without_outliers(std::move(times));
}

void append_event(FileSystem& fs, const std::string& path, const Config& config, const std::string& line) {
  if (!fs.append(path, line).ok()) return;  // an event that can not be written is lost; the build is not
  Result<FileStat> stat = fs.stat(path);
  if (stat.ok() && stat->size > config.event_log_max_size) rotate(fs, path, config);
}

}  // namespace kache
