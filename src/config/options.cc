#include "config/options.h"

#include <algorithm>
#include <iterator>

#include "base/duration.h"
#include "base/nearest.h"
#include "base/path.h"

namespace kache {
namespace {

using T = OptionType;

const Option kOptions[] = {
    {"cache.local_store", "KACHE_CACHE_DIR", T::path, &Config::cache_dir, "where the cache lies"},
    {"cache.local_max_size", "KACHE_MAX_SIZE", T::size, &Config::local_max_size, "how large the store may grow"},
    {"cache.min_free_space", "KACHE_MIN_FREE_SPACE", T::size, &Config::min_free_space, "disk space to leave free"},
    {"cache.gc_max_age_hours", "KACHE_GC_MAX_AGE_HOURS", T::hours, &Config::gc_max_age_hours,
     "drop what was not used for so long; 0: never"},
    {"cache.auto_gc", "KACHE_AUTO_GC", T::boolean, &Config::auto_gc, "collect garbage in the background"},
    {"cache.durable", "KACHE_DURABLE", T::boolean, &Config::durable,
     "a compile ends only when what was stored is on the disk"},
    {"cache.cache_executables", "KACHE_CACHE_EXECUTABLES", T::boolean, &Config::cache_executables,
     "cache binaries and tests of cargo"},
    {"cache.explain_miss", "KACHE_EXPLAIN_MISS", T::boolean, &Config::explain_miss, "say on stderr why a unit missed"},
    {"cache.preserve_incremental", "KACHE_PRESERVE_INCREMENTAL", T::boolean, &Config::preserve_incremental,
     "leave incremental units alone"},
    {"cache.adaptive_incremental", "KACHE_ADAPTIVE_INCREMENTAL", T::boolean, &Config::adaptive_incremental,
     "compile units in an edit loop incrementally"},
    {"cache.incremental_crates", "KACHE_INCREMENTAL_CRATES", T::list, &Config::incremental_crates,
     "crates that are always compiled incrementally"},
    {"cache.clean_incremental", "KACHE_CLEAN_INCREMENTAL", T::boolean, &Config::clean_incremental,
     "delete the incremental state of a crate that was restored or stored"},
    {"cache.heartbeat_secs", "KACHE_HEARTBEAT_SECS", T::seconds, &Config::heartbeat_secs,
     "how often a long compile says in the event log that it lives; 0: never"},
    {"cache.min_store_compile_ms", "KACHE_MIN_STORE_COMPILE_MS", T::milliseconds, &Config::min_store_compile_ms,
     "do not store what compiles faster than this"},
    {"cache.event_log_max_size", "", T::size, &Config::event_log_max_size, "when the event log is cut, to half of that"},
    {"cache.event_log_keep_lines", "", T::integer, &Config::event_log_keep_lines, "how many lines stay then, if they fit"},
    {"cache.exclude", "", T::paths, &Config::exclude, "globs of sources that are not cached; $VARIABLES and ~ are known"},
    {"cache.bypass_crates", "", T::list, &Config::bypass_crates,
     "units that are not cached: names of crates, of C those of source files"},
    {"cache.bypass_argv", "", T::list, &Config::bypass_argv, "texts in a command line that forbid caching"},
    {"cache.bypass_env", "", T::list, &Config::bypass_env, "variables that forbid caching: NAME, or NAME=VALUE"},
    {"cache.fallback", "KACHE_FALLBACK", T::command, &Config::fallback, "another wrapper for what is not cached"},
    {"cache.key_salt", "KACHE_KEY_SALT", T::text, &Config::key_salt, "goes into every key"},
    {"cache.key_env_vars", "KACHE_KEY_ENV_VARS", T::list, &Config::key_env_vars,
     "variables that go into every key: NAME, or PREFIX*"},
    {"cache.path_only_env_vars", "KACHE_PATH_ONLY_ENV_VARS", T::list, &Config::path_only_env_vars,
     "crate:VARIABLE whose uses only name included files, where kache can not see that"},
    {"cache.ignore_env", "", T::boolean, &Config::ignore_env,
     "variables that have a key of the file do not count; what is only a variable does"},
    {"cc.prefix_map", "", T::prefix_map, &Config::cc_prefix_map,
     "what of gcc's and clang's outputs holds no local path: debug (debug information), all (macros such as __FILE__ too), off"},
    {"cc.cache_links", "KACHE_CC_CACHE_LINKS", T::boolean, &Config::cc_cache_links, "cache programs, libraries and archives"},
    {"cc.extra_allowlist_flags", "KACHE_CC_EXTRA_ALLOWLIST_FLAGS", T::words, &Config::cc_extra_allowlist_flags,
     "flags that are taken for harmless where a compiler can not be recorded; they go into the key of every C compile. Nothing has to "
     "be listed"},
    {"paths.base_dirs", "", T::paths, &Config::base_dirs, "more places whose location does not matter; absolute"},
    {"cache.remotes", "KACHE_REMOTES", T::words, &Config::remotes,
     "where results are shared, nearest first: a directory, or a URL of s3, http, https or redis"},
    {"cache.remote.type", "", T::text, &Config::remote_type, "one remote, as the Rust program has it: s3 or filesystem"},
    {"cache.remote.bucket", "KACHE_S3_BUCKET", T::text, &Config::s3_bucket, "the bucket; the variable set to nothing: no remote"},
    {"cache.remote.endpoint", "KACHE_S3_ENDPOINT", T::text, &Config::s3_endpoint, "URL of a server other than Amazon's"},
    {"cache.remote.region", "KACHE_S3_REGION", T::text, &Config::s3_region, "of the bucket"},
    {"cache.remote.prefix", "KACHE_S3_PREFIX", T::text, &Config::s3_prefix, "of all names in the bucket, or a directory below the path"},
    {"cache.remote.profile", "KACHE_S3_PROFILE", T::text, &Config::s3_profile, "of the credentials in ~/.aws"},
    {"cache.remote.path", "", T::path, &Config::remote_path, "the shared directory"},
    {"cache.remote.atomic_write_dir", "", T::path, &Config::remote_write_dir, "where files of it are prepared; on the same file system"},
    {"cache.remote.verify", "KACHE_REMOTE_VERIFY", T::percent, &Config::remote_verify_percent,
     "how many of the results that remotes gave are compiled again when nothing else is to do, and compared; 0 to 100"},
    {"cache.local_only", "KACHE_LOCAL_ONLY", T::boolean, &Config::local_only, "use no remote"},
    {"cache.remote_readonly", "KACHE_REMOTE_READONLY", T::boolean, &Config::remote_readonly, "send nothing to remotes"},
    {"remote.sign_with", "KACHE_REMOTE_SIGN_WITH", T::path, &Config::sign_with,
     "a key of `kache keys generate`: what is sent is signed with it"},
    {"remote.trusted_keys", "KACHE_REMOTE_TRUSTED_KEYS", T::list, &Config::trusted_keys, "public keys whose results are believed"},
    {"remote.require_signature", "KACHE_REMOTE_REQUIRE_SIGNATURE", T::boolean, &Config::require_signature,
     "what none of the trusted keys has signed is a miss; on where there are trusted keys"},
    {"cache.remote_restore_timeout_secs", "KACHE_REMOTE_RESTORE_TIMEOUT_SECS", T::seconds, &Config::remote_timeout_secs,
     "how long one result may take on its way from or to a remote; a compile waits three seconds at most"},
    {"cache.remote_negative_ttl_secs", "KACHE_REMOTE_NEGATIVE_TTL_SECS", T::seconds, &Config::remote_negative_ttl_secs,
     "how long it is remembered that a remote does not have something"},
    {"cache.compression_level", "KACHE_COMPRESSION_LEVEL", T::integer, &Config::compression_level, "of what is sent, 1 to 22"},
    {"cache.s3_concurrency", "KACHE_S3_CONCURRENCY", T::integer, &Config::remote_concurrency, "requests at a time, to remotes of any kind"},
    {"cache.prefetch_enabled", "KACHE_PREFETCH_ENABLED", T::boolean, &Config::prefetch_enabled,
     "fetch what a build will ask for when it begins, by what the last ones asked for; and note what it asks for"},
    {"cache.prefetch_packs", "KACHE_PREFETCH_PACKS", T::boolean, &Config::prefetch_packs,
     "what a build asked for is also kept in the remote as a few large objects, which the next machine fetches in few requests"},
    {"cache.prefetch_max_keys", "KACHE_PREFETCH_MAX_KEYS", T::integer, &Config::prefetch_max_keys, "at most so many; 0: no limit"},
    {"cache.prefetch_max_bytes", "KACHE_PREFETCH_MAX_BYTES", T::size, &Config::prefetch_max_bytes, "at most so much; 0: no limit"},
    {"cache.prefetch_deadline_secs", "KACHE_PREFETCH_DEADLINE_SECS", T::seconds, &Config::prefetch_deadline_secs, "at most so long; 0: no limit"},
    {"cache.planner.endpoint", "KACHE_PLANNER_ENDPOINT", T::text, &Config::planner_endpoint,
     "URL of a service that is asked first what a build will ask for"},
    {"cache.planner.timeout_ms", "KACHE_PLANNER_TIMEOUT_MS", T::milliseconds, &Config::planner_timeout_ms, "how long it is waited for"},
    {"cache.planner.token", "KACHE_PLANNER_TOKEN", T::text, &Config::planner_token, "for that service"},
    {"cache.daemon_idle_timeout_secs", "KACHE_DAEMON_IDLE_TIMEOUT", T::seconds, &Config::daemon_idle_timeout_secs,
     "when a daemon that nobody asks ends; 0: never"},
    {"", "KACHE_NAMESPACE", T::text, &Config::space,
     "which builds belong together where one fetches what another asked for; the origin of the git repository without it"},
    {"", "KACHE_SOCKET_PATH", T::path, &Config::socket_path, "of the daemon; absolute"},
    {"", "KACHE_BASE_DIR", T::path, &Config::base_dir, "one more place whose location does not matter"},
    {"", "KACHE_RUSTC_PATH_NORMALIZE", T::boolean, &Config::path_normalize, "compile Rust with remapped paths"},
    {"", "KACHE_CC_PATH_NORMALIZE", T::boolean, &Config::cc_path_normalize, "0: cc.prefix_map = \"off\" for one shell"},
    {"", "KACHE_VERIFY_RESTORES", T::verify, &Config::verify_restores,
     "read the content before it is restored: always, sampled (one of 16) or off"},
    {"", "KACHE_PROGRESS", T::progress, &Config::progress, "say on stderr which units were hits; all: everything"},
    {"", "KACHE_LOG_FILE_PATH", T::path, &Config::log_file, "where the log is written; none without it"},
    {"", "KACHE_LOG", T::level, &Config::log_level, "how much is logged: off, error, warn, info, debug or trace"},
    {"", "KACHE_EVENT_ROOT", T::path, &Config::event_root, "the build tree that events name"},
};

// Of the program whose files are read too. A file may have them; nothing here uses them.
constexpr std::monostate kUnused;
const Option kKnownOptions[] = {
    {"cache.s3_pool_idle_secs", "KACHE_S3_POOL_IDLE_SECS", T::seconds, kUnused, "how long connections stay open"},
    {"cache.remote_key_cache_refresh_secs", "KACHE_REMOTE_KEY_CACHE_REFRESH_SECS", T::seconds, kUnused,
     "how often the remote is listed"},
    {"cache.local_hit_daemon", "KACHE_LOCAL_HIT_DAEMON", T::boolean, kUnused, "hits come from the daemon"},
    {"cache.modified_input_guard", "KACHE_MODIFIED_INPUT_GUARD", T::boolean, kUnused,
     "here what changes during a compile is always noticed"},
    {"cache.windows_hardlink", "KACHE_WINDOWS_HARDLINK", T::boolean, kUnused, "of Windows"},
    {"cache.storage_layout_advice", "KACHE_STORAGE_LAYOUT_ADVICE", T::boolean, kUnused, "advice about file systems"},
};

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(),
                    [](char x, char y) { return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y; });
}

std::vector<std::string> words(std::string_view text, std::string_view separators) {
  std::vector<std::string> out;
  while (!text.empty()) {
    size_t end = text.find_first_of(separators);
    if (end != 0) out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

struct UnitRow {
  std::string_view name;
  uint64_t factor;
};
constexpr UnitRow kUnits[] = {
    {"", 1},           {"b", 1},
    {"k", 1000},       {"kb", 1000},
    {"m", 1000000},    {"mb", 1000000},
    {"g", 1000000000}, {"gb", 1000000000},
    {"t", 1000000000000}, {"tb", 1000000000000},
    {"ki", 1ull << 10}, {"kib", 1ull << 10},
    {"mi", 1ull << 20}, {"mib", 1ull << 20},
    {"gi", 1ull << 30}, {"gib", 1ull << 30},
    {"ti", 1ull << 40}, {"tib", 1ull << 40},
    {"p", 1000000000000000}, {"pb", 1000000000000000},
    {"pi", 1ull << 50}, {"pib", 1ull << 50},
    {"e", 1000000000000000000}, {"eb", 1000000000000000000},
    {"ei", 1ull << 60}, {"eib", 1ull << 60},
};

Result<uint64_t> parse_integer(std::string_view text) {
  uint64_t value = 0;
  if (text.empty() || text.size() > 18) return Error{ErrorCode::invalid, 0, "a whole number"};
  for (char c : text) {
    if (c < '0' || c > '9') return Error{ErrorCode::invalid, 0, "a whole number"};
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

// "5" and "5%"
Result<uint64_t> parse_percent(std::string_view text) {
  if (text.ends_with('%')) text.remove_suffix(1);
  Result<uint64_t> percent = parse_integer(text);
  if (percent.ok() && *percent <= 100) return percent;
  return Error{ErrorCode::invalid, 0, "a percentage from 0 to 100"};
}

// Tables that others read.
constexpr std::string_view kForeignTables[] = {"workspace", "daemon"};

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

Error expected(std::string_view what) { return {ErrorCode::invalid, 0, std::string(what)}; }

}  // namespace

const Option* options() { return kOptions; }
size_t option_count() { return std::size(kOptions); }
const Option* known_options() { return kKnownOptions; }
size_t known_option_count() { return std::size(kKnownOptions); }

const Option* find_option(std::string_view key) {
  if (key.empty()) return nullptr;
  for (const Option& option : kOptions) {
    if (option.key == key) return &option;
  }
  for (const Option& option : kKnownOptions) {
    if (option.key == key) return &option;
  }
  return nullptr;
}

Result<bool> parse_bool(std::string_view text) {
  for (std::string_view on : {"1", "true", "yes", "on"}) {
    if (equals_ignoring_case(text, on)) return true;
  }
  for (std::string_view off : {"0", "false", "no", "off", ""}) {
    if (equals_ignoring_case(text, off)) return false;
  }
  return expected("true or false");
}

// factor * fraction / scale, for units that are too large to be multiplied first.
static uint64_t fraction_of(uint64_t factor, uint64_t fraction, uint64_t scale) {
  return factor / scale * fraction + factor % scale * fraction / scale;
}

Result<uint64_t> parse_size(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  Error wrong = expected("a size such as 500MB or 50GiB");
  Result<uint64_t> whole = parse_integer(text.substr(0, digits));
  if (!whole.ok()) return wrong;
  uint64_t fraction = 0, scale = 1;
  std::string_view rest = text.substr(digits);
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    for (; !rest.empty() && rest[0] >= '0' && rest[0] <= '9' && scale < 1'000'000; rest.remove_prefix(1)) {
      fraction = fraction * 10 + static_cast<uint64_t>(rest[0] - '0');
      scale *= 10;
    }
  }
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  for (const UnitRow& unit : kUnits) {
    if (!equals_ignoring_case(rest, unit.name)) continue;
    if (*whole > UINT64_MAX / unit.factor / 2) return expected("a smaller size");
    return *whole * unit.factor + fraction_of(unit.factor, fraction, scale);
  }
  return wrong;
}

std::string expand_home(std::string_view path, const Env& env) {
  if (path != "~" && !path.starts_with("~/")) return std::string(path);
  return std::string(env.get_or_empty("HOME")) + std::string(path.substr(1));
}

std::string expand_variables(std::string_view text, const Env& env) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t start = text[i] == '$' ? i + 1 : text.size();
    bool braces = start < text.size() && text[start] == '{';
    size_t end = start += braces;
    while (end < text.size() && is_name_char(text[end])) ++end;
    bool closed = !braces || (end < text.size() && text[end] == '}');
    if (start >= text.size() || end == start || !closed) {
      out += text[i++];
      continue;
    }
    std::string_view name = text.substr(start, end - start);
    std::string_view value = env.get_or_empty(name);
    if (value.empty() && name == "CARGO_HOME") out += expand_home("~/.cargo", env);
    else out += value;
    i = end + braces;
  }
  return out;
}

bool is_foreign_key(std::string_view key) {
  const Option* option = find_option(key);
  if (option) return !option->is_used();
  return std::any_of(std::begin(kForeignTables), std::end(kForeignTables), [&](std::string_view table) {
    return key.starts_with(table) && (key.size() == table.size() || key[table.size()] == '.');
  });
}

std::string_view nearest_key(std::string_view key) {
  std::vector<std::string_view> known;
  for (const Option& option : kOptions) {
    if (!option.key.empty()) known.push_back(option.key);
  }
  for (const Option& option : kKnownOptions) known.push_back(option.key);
  return nearest_word(key, known);
}

std::vector<std::string> split_list(const Option& option, std::string_view text) {
  return words(text, option.type == T::words ? " \t\n" : ", \t\n");
}

namespace {

template <typename T>
Status store(const Option& option, T value, Config& config) {
  if (auto* member = std::get_if<T Config::*>(&option.member)) config.**member = std::move(value);
  return Ok{};
}

// In whole units, rounded up: what is asked for is not less than asked for.
Result<uint64_t> parse_units(std::string_view text, int64_t unit_ns) {
  int64_t ns = KACHE_TRY(parse_duration(text, unit_ns));
  return static_cast<uint64_t>((ns + unit_ns - 1) / unit_ns);
}

template <typename E>
struct ValueRow {
  std::string_view word;
  E value;
};
constexpr ValueRow<PrefixMap> kPrefixMaps[] = {{"debug", PrefixMap::debug}, {"all", PrefixMap::all}, {"off", PrefixMap::off}};
constexpr ValueRow<VerifyRestores> kVerify[] = {{"off", VerifyRestores::off}, {"sampled", VerifyRestores::sampled}, {"always", VerifyRestores::always}};
constexpr ValueRow<ProgressMode> kProgress[] = {
    {"off", ProgressMode::off}, {"hits", ProgressMode::hits}, {"all", ProgressMode::all}, {"verbose", ProgressMode::all}};
constexpr ValueRow<uint8_t> kLevels[] = {{"off", 0}, {"error", 1}, {"warn", 2}, {"info", 3}, {"debug", 4}, {"trace", 5}};

// Of a switch that has more than two positions, true and false are two of them.
template <typename E, size_t N>
Result<E> parse_word(std::string_view text, const ValueRow<E> (&table)[N], std::string_view words, E on) {
  for (const ValueRow<E>& row : table) {
    if (equals_ignoring_case(text, row.word)) return row.value;
  }
  Result<bool> flag = parse_bool(text);
  if (flag.ok() && on != table[0].value) return *flag ? on : table[0].value;
  return expected(words);
}

template <typename E, size_t N>
std::string_view word_of(E value, const ValueRow<E> (&table)[N]) {
  for (const ValueRow<E>& row : table) {
    if (row.value == value) return row.word;
  }
  return {};
}

}  // namespace

std::vector<std::string_view> option_words(const Option& option) {
  std::vector<std::string_view> out;
  auto add = [&](const auto& table) {
    for (const auto& row : table) out.push_back(row.word);
  };
  switch (option.type) {
    case T::boolean: return {"true", "false"};
    case T::prefix_map: add(kPrefixMaps); break;
    case T::verify: add(kVerify); break;
    case T::progress: add(kProgress); break;
    case T::level: add(kLevels); break;
    default: break;
  }
  return out;
}

OptionValue option_value(const Option& option, const Config& config) {
  struct Visitor {
    const Config& config;
    OptionValue operator()(std::monostate) { return {}; }
    OptionValue operator()(bool Config::*member) { return {config.*member ? "true" : "false"}; }
    OptionValue operator()(uint64_t Config::*member) { return {std::to_string(config.*member)}; }
    OptionValue operator()(std::string Config::*member) { return {config.*member}; }
    OptionValue operator()(std::vector<std::string> Config::*member) { return config.*member; }
    OptionValue operator()(VerifyRestores Config::*member) { return {std::string(word_of(config.*member, kVerify))}; }
    OptionValue operator()(ProgressMode Config::*member) { return {std::string(word_of(config.*member, kProgress))}; }
    OptionValue operator()(PrefixMap Config::*member) { return {std::string(word_of(config.*member, kPrefixMaps))}; }
    OptionValue operator()(uint8_t Config::*member) { return {std::string(word_of(config.*member, kLevels))}; }
  };
  return std::visit(Visitor{config}, option.member);
}

Status set_option_list(const Option& option, std::vector<std::string> items, const Env& env, Config& config) {
  if (!option.is_list() && option.type != T::command) return expected("one value, not a list");
  bool all_good = true;
  if (option.type == T::paths) {
    for (std::string& item : items) item = expand_home(item, env);
  }
  if (option.key == "cache.exclude") {
    for (std::string& item : items) item = expand_variables(item, env);
  }
  if (option.key == "paths.base_dirs") {
    for (std::string& item : items) item = tidy_path(item);
    all_good = std::erase_if(items, [](const std::string& dir) { return !is_absolute(dir) || dir == "/"; }) == 0;
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
  }
  if (option.key == "cache.path_only_env_vars") {
    for (std::string& item : items) {
      auto crate_end = item.begin() + static_cast<std::ptrdiff_t>(std::min(item.find(':'), item.size()));
      std::replace(item.begin(), crate_end, '-', '_');
    }
  }
  if (option.key == "cache.incremental_crates") {
    for (std::string& item : items) std::replace(item.begin(), item.end(), '-', '_');
  }
  (void)store(option, std::move(items), config);
  if (!all_good) return expected("absolute directories, and not /");
  return Ok{};
}

Status set_option(const Option& option, std::string_view text, const Env& env, Config& config) {
  constexpr int64_t kMs = 1'000'000, kSecond = 1000 * kMs, kHour = 3600 * kSecond;
  switch (option.type) {
    case T::boolean: return store(option, KACHE_TRY(parse_bool(text)), config);
    case T::integer: return store(option, KACHE_TRY(parse_integer(text)), config);
    case T::percent: return store(option, KACHE_TRY(parse_percent(text)), config);
    case T::size: return store(option, KACHE_TRY(parse_size(text)), config);
    case T::hours: return store(option, KACHE_TRY(parse_units(text, kHour)), config);
    case T::seconds: return store(option, KACHE_TRY(parse_units(text, kSecond)), config);
    case T::milliseconds: return store(option, KACHE_TRY(parse_units(text, kMs)), config);
    case T::text: return store(option, std::string(text), config);
    case T::path: {
      std::string path = expand_home(text, env);
      if (!is_absolute(path)) return expected("an absolute path");
      return store(option, tidy_path(path), config);
    }
    case T::list:
    case T::paths:
    case T::words: return set_option_list(option, split_list(option, text), env, config);
    case T::command: {
      bool off = text == "off" || text == "none";
      return store(option, off ? std::vector<std::string>{} : words(text, " \t"), config);
    }
    case T::verify: return store(option, KACHE_TRY(parse_word(text, kVerify, "off, sampled or always", VerifyRestores::always)), config);
    case T::progress: return store(option, KACHE_TRY(parse_word(text, kProgress, "off, hits or all", ProgressMode::hits)), config);
    case T::prefix_map: return store(option, KACHE_TRY(parse_word(text, kPrefixMaps, "debug, all or off", PrefixMap::debug)), config);
    case T::level: {
      // "kache=debug,other=info" as the reference takes it: the first word, without the name before '='.
      std::string_view word = text.substr(0, text.find(','));
      if (word.starts_with("kache=")) word.remove_prefix(6);
      return store(option, KACHE_TRY(parse_word(word, kLevels, "off, error, warn, info, debug or trace", uint8_t{0})), config);
    }
  }
  return Ok{};
}

}  // namespace kache
