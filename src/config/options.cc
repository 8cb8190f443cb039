#include "config/options.h"

#include <algorithm>
#include <iterator>

#include "base/nearest.h"
#include "base/path.h"

namespace kache {
namespace {

using T = OptionType;

const Option kOptions[] = {
    {"cache.local_store", "KACHE_CACHE_DIR", T::path, &Config::cache_dir, "where the cache lies"},
    {"cache.local_max_size", "KACHE_MAX_SIZE", T::size, &Config::local_max_size, "how large the store may grow"},
    {"cache.min_free_space", "KACHE_MIN_FREE_SPACE", T::size, &Config::min_free_space, "disk space to leave free"},
    {"cache.gc_max_age_hours", "KACHE_GC_MAX_AGE_HOURS", T::integer, &Config::gc_max_age_hours,
     "drop what was not used for so long; 0: never"},
    {"cache.auto_gc", "KACHE_AUTO_GC", T::boolean, &Config::auto_gc, "collect garbage in the background"},
    {"cache.durable", "KACHE_DURABLE", T::boolean, &Config::durable, "wait until what was stored is on the disk"},
    {"cache.cache_executables", "KACHE_CACHE_EXECUTABLES", T::boolean, &Config::cache_executables,
     "cache binaries and tests too"},
    {"cache.explain_miss", "KACHE_EXPLAIN_MISS", T::boolean, &Config::explain_miss, "say on stderr why a unit missed"},
    {"cache.preserve_incremental", "KACHE_PRESERVE_INCREMENTAL", T::boolean, &Config::preserve_incremental,
     "leave incremental units alone"},
    {"cache.adaptive_incremental", "KACHE_ADAPTIVE_INCREMENTAL", T::boolean, &Config::adaptive_incremental,
     "compile units in an edit loop incrementally"},
    {"cache.incremental_crates", "KACHE_INCREMENTAL_CRATES", T::list, &Config::incremental_crates,
     "crates that are always compiled incrementally"},
    {"cache.heartbeat_secs", "KACHE_HEARTBEAT_SECS", T::integer, &Config::heartbeat_secs,
     "how often a long compile says that it lives; 0: never"},
    {"cache.min_store_compile_ms", "KACHE_MIN_STORE_COMPILE_MS", T::integer, &Config::min_store_compile_ms,
     "do not store what compiles faster than this"},
    {"cache.event_log_max_size", "", T::size, &Config::event_log_max_size, "when the event log is cut"},
    {"cache.event_log_keep_lines", "", T::integer, &Config::event_log_keep_lines, "how many lines stay then"},
    {"cache.exclude", "", T::paths, &Config::exclude, "sources that are not cached"},
    {"cache.bypass_crates", "", T::list, &Config::bypass_crates, "crates that are not cached"},
    {"cache.bypass_argv", "", T::list, &Config::bypass_argv, "texts in a command line that forbid caching"},
    {"cache.bypass_env", "", T::list, &Config::bypass_env, "variables that forbid caching"},
    {"cache.fallback", "KACHE_FALLBACK", T::words, &Config::fallback, "another wrapper for what is not cached"},
    {"cache.key_salt", "KACHE_KEY_SALT", T::text, &Config::key_salt, "goes into every key"},
    {"cache.key_env_vars", "KACHE_KEY_ENV_VARS", T::list, &Config::key_env_vars, "variables that go into every key"},
    {"cache.path_only_env_vars", "KACHE_PATH_ONLY_ENV_VARS", T::list, &Config::path_only_env_vars,
     "crate:VARIABLE that only names included files"},
    {"cache.clean_incremental", "KACHE_CLEAN_INCREMENTAL", T::boolean, &Config::clean_incremental,
     "delete the incremental state of a unit that was restored or stored"},
    {"cc.prefix_map", "", T::prefix_map, &Config::cc_prefix_map,
     "debug: debug information holds no local path; all: macros neither; off"},
    {"cc.cache_links", "KACHE_CC_CACHE_LINKS", T::boolean, &Config::cc_cache_links, "cache programs, libraries and archives"},
    {"cc.extra_allowlist_flags", "KACHE_CC_EXTRA_ALLOWLIST_FLAGS", T::words, &Config::cc_extra_allowlist_flags,
     "flags that go into the key of C compiles; none has to be listed"},
    {"paths.base_dirs", "", T::paths, &Config::base_dirs, "places whose location does not matter"},
    {"", "KACHE_BASE_DIR", T::path, &Config::base_dir, "one more such place"},
    {"", "KACHE_RUSTC_PATH_NORMALIZE", T::boolean, &Config::path_normalize, "compile with remapped paths"},
    {"", "KACHE_CC_PATH_NORMALIZE", T::boolean, &Config::cc_path_normalize, "remap paths in C compiles"},
    {"", "KACHE_VERIFY_RESTORES", T::verify, &Config::verify_restores, "read the content before it is restored"},
    {"", "KACHE_PROGRESS", T::progress, &Config::progress, "say on stderr what happens"},
    {"", "KACHE_LOG_FILE_PATH", T::path, &Config::log_file, "where the log is written"},
    {"", "KACHE_LOG", T::level, &Config::log_level, "how much is logged"},
    {"", "KACHE_EVENT_ROOT", T::path, &Config::event_root, "the build tree that events name"},
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

// Sections and keys of features that read them elsewhere, or that only the program has whose files are read too.
constexpr std::string_view kForeignKeys[] = {
    "cache.ignore_env",        "cache.remote",         "cache.planner",         "cache.local_only",
    "cache.remote_readonly",   "cache.compression_level", "cache.s3_concurrency",  "cache.s3_pool_idle_secs",
    "cache.daemon_idle_timeout_secs", "cache.prefetch", "cache.modified_input_guard", "cache.local_hit_daemon",
    "cache.windows_hardlink",  "cache.storage_layout_advice", "workspace", "daemon", "remote",
};

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

Error expected(std::string_view what) { return {ErrorCode::invalid, 0, std::string(what)}; }

}  // namespace

const Option* options() { return kOptions; }
size_t option_count() { return std::size(kOptions); }

Result<bool> parse_bool(std::string_view text) {
  for (std::string_view on : {"1", "true", "yes", "on"}) {
    if (equals_ignoring_case(text, on)) return true;
  }
  for (std::string_view off : {"0", "false", "no", "off", ""}) {
    if (equals_ignoring_case(text, off)) return false;
  }
  return expected("true or false");
}

Result<uint64_t> parse_size(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  uint64_t whole = KACHE_TRY(parse_integer(text.substr(0, digits)));
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
    if (whole > UINT64_MAX / unit.factor / 2) return expected("a smaller size");
    return whole * unit.factor + fraction * unit.factor / scale;
  }
  return expected("a size such as 500MB or 50GiB");
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
  return std::any_of(std::begin(kForeignKeys), std::end(kForeignKeys), [&](std::string_view known) {
    return key.starts_with(known) && (key.size() == known.size() || key[known.size()] == '.');
  });
}

std::string_view nearest_key(std::string_view key) {
  std::vector<std::string_view> known;
  for (const Option& option : kOptions) {
    if (!option.key.empty()) known.push_back(option.key);
  }
  return nearest_word(key, known);
}

Status set_option_list(const Option& option, std::vector<std::string> items, const Env& env, Config& config) {
  auto* member = std::get_if<std::vector<std::string> Config::*>(&option.member);
  if (!member) return expected("one value, not a list");
  bool all_good = true;
  if (option.type == OptionType::paths) {
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
  config.**member = std::move(items);
  if (!all_good) return expected("absolute directories, and not /");
  return Ok{};
}

Status set_option(const Option& option, std::string_view text, const Env& env, Config& config) {
  switch (option.type) {
    case OptionType::boolean: config.*std::get<bool Config::*>(option.member) = KACHE_TRY(parse_bool(text)); break;
    case OptionType::integer:
      config.*std::get<uint64_t Config::*>(option.member) = KACHE_TRY(parse_integer(text));
      break;
    case OptionType::size: config.*std::get<uint64_t Config::*>(option.member) = KACHE_TRY(parse_size(text)); break;
    case OptionType::text: config.*std::get<std::string Config::*>(option.member) = text; break;
    case OptionType::path: {
      std::string path = expand_home(text, env);
      if (!is_absolute(path)) return expected("an absolute path");
      config.*std::get<std::string Config::*>(option.member) = tidy_path(path);
      break;
    }
    case OptionType::list:
    case OptionType::paths: return set_option_list(option, words(text, ", \t\n"), env, config);
    case OptionType::words: {
      bool off = text == "off" || text == "none";
      config.*std::get<std::vector<std::string> Config::*>(option.member) =
          off ? std::vector<std::string>{} : words(text, " \t");
      break;
    }
    case OptionType::verify: {
      VerifyRestores& verify = config.*std::get<VerifyRestores Config::*>(option.member);
      if (equals_ignoring_case(text, "sampled")) verify = VerifyRestores::sampled;
      else if (equals_ignoring_case(text, "always")) verify = VerifyRestores::always;
      else verify = KACHE_TRY(parse_bool(text)) ? VerifyRestores::always : VerifyRestores::off;
      break;
    }
    case OptionType::progress: {
      ProgressMode& progress = config.*std::get<ProgressMode Config::*>(option.member);
      if (text == "hits") progress = ProgressMode::hits;
      else if (text == "verbose" || text == "all") progress = ProgressMode::all;
      else progress = KACHE_TRY(parse_bool(text)) ? ProgressMode::hits : ProgressMode::off;
      break;
    }
    case OptionType::prefix_map: {
      PrefixMap& map = config.*std::get<PrefixMap Config::*>(option.member);
      if (text == "debug") map = PrefixMap::debug;
      else if (text == "all") map = PrefixMap::all;
      else if (text == "off") map = PrefixMap::off;
      else return expected("debug, all or off");
      break;
    }
    case OptionType::level: {
      static constexpr std::string_view kLevels[] = {"off", "error", "warn", "info", "debug", "trace"};
      // "kache=debug,other=info" as the reference takes it: the last word after '=' or the whole.
      std::string_view word = text.substr(0, text.find(','));
      if (word.starts_with("kache=")) word.remove_prefix(6);
      for (uint8_t i = 0; i < std::size(kLevels); ++i) {
        if (equals_ignoring_case(word, kLevels[i])) {
          config.*std::get<uint8_t Config::*>(option.member) = i;
          return Ok{};
        }
      }
      return expected("off, error, warn, info, debug or trace");
    }
  }
  return Ok{};
}

}  // namespace kache
