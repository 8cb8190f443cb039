// Config: every setting of the user, resolved to one plain value. Const once loaded.
//
// Precedence per value: environment, then the one configuration file, then the default; files are never merged. The
// file is TOML, and the wrapper does not parse TOML: kache-tool compiles it to a small binary form that is keyed by the
// file's identity, and `load_config` reads that. A file or a value that can not be used leaves the defaults in force and
// says so in `problems`; it never fails a build.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/file_system.h"
#include "config/compiled.h"

namespace kache {

enum class VerifyRestores : uint8_t { off, sampled, always };
enum class ProgressMode : uint8_t { off, hits, all };
enum class PrefixMap : uint8_t { off, debug, all };

// [[workspace.extra_inputs]]: files that matter to some crates and that no recorder can see.
struct ExtraRule {
  std::string place;                  // where the file says it: rules apart
  std::vector<std::string> crates;    // names or globs; none: all of the tree
  std::vector<std::string> patterns;  // below Config::extra_dir
  bool for_dependents = false;        // propagate_to_dependents: crates that use one of these too
};

struct Config {
  // [cache]
  std::string cache_dir;                                  // local_store, KACHE_CACHE_DIR
  uint64_t local_max_size = uint64_t{50} << 30;           // bytes
  uint64_t min_free_space = uint64_t{1} << 30;            // bytes; the store shrinks rather than fill the disk
  uint64_t gc_max_age_hours = 0;                          // 0: no limit
  bool auto_gc = true;
  bool durable = false;                                   // what was stored is on the disk before the compile ends
  bool cache_executables = true;
  bool explain_miss = false;
  bool preserve_incremental = false;
  bool adaptive_incremental = true;
  bool clean_incremental = false;
  uint64_t heartbeat_secs = 30;                           // 0: off
  uint64_t min_store_compile_ms = 0;
  bool ignore_env = false;                                // of the file only: variables with a key do not count
  uint64_t event_log_max_size = uint64_t{10} << 20;
  uint64_t event_log_keep_lines = 1000;
  std::vector<std::string> incremental_crates;            // '-' folded to '_'
  std::vector<std::string> exclude;                       // globs over source paths, variables expanded
  std::vector<std::string> bypass_crates;
  std::vector<std::string> bypass_argv;
  std::vector<std::string> bypass_env;                    // NAME or NAME=VALUE
  std::vector<std::string> key_env_vars;                  // NAME or PREFIX*
  std::vector<std::string> path_only_env_vars;            // crate:NAME
  std::vector<std::string> fallback;                      // words of the other wrapper's command; empty: none
  std::string key_salt;
  // [cc]
  PrefixMap cc_prefix_map = PrefixMap::debug;             // what of a C compile's paths is remapped
  bool cc_cache_links = true;                             // programs, shared libraries and archives too
  std::vector<std::string> cc_extra_allowlist_flags;      // of the reference program; here they only go into the key
  // [paths]
  std::vector<std::string> base_dirs;                     // absolute, sorted, without duplicates

  // Remotes: [cache], [cache.remote], [remote]
  std::vector<std::string> remotes;                       // URLs and paths, nearest first
  std::string remote_type, s3_bucket, s3_endpoint, s3_region, s3_prefix, s3_profile, remote_path, remote_write_dir;
  bool local_only = false, remote_readonly = false;
  uint64_t remote_verify_percent = 0;                     // cache.remote.verify: so many of the hits are compiled again
  std::string sign_with;                                  // path of a signing key
  std::vector<std::string> trusted_keys;                  // as `kache keys` shows them
  bool require_signature = false;                         // also on where there are trusted keys
  uint64_t remote_timeout_secs = 300;
  uint64_t remote_negative_ttl_secs = 60;
  uint64_t compression_level = 3;
  uint64_t remote_concurrency = 16;
  bool prefetch_enabled = true, prefetch_packs = true;
  uint64_t prefetch_max_keys = 2000, prefetch_max_bytes = uint64_t{2} << 30, prefetch_deadline_secs = 300;  // 0: no limit
  std::string planner_endpoint, planner_token;
  uint64_t planner_timeout_ms = 750;
  uint64_t daemon_idle_timeout_secs = 0;                  // 0: never
  std::string space;                                      // KACHE_NAMESPACE
  std::string socket_path;                                // KACHE_SOCKET_PATH

  // False: nothing beyond this machine is ever asked.
  bool has_remote() const { return !local_only && (!remotes.empty() || !s3_bucket.empty() || !remote_path.empty()); }

  // [workspace]
  std::vector<ExtraRule> extra_rules;
  std::string extra_dir;                                  // of the file that has them
  std::string extra_problem;                              // why they can not be used; then nothing may be stored

  // Environment only.
  std::string base_dir;                                   // KACHE_BASE_DIR
  bool path_normalize = true;                             // KACHE_RUSTC_PATH_NORMALIZE
  bool cc_path_normalize = true;                          // KACHE_CC_PATH_NORMALIZE
  VerifyRestores verify_restores = VerifyRestores::off;   // KACHE_VERIFY_RESTORES
  ProgressMode progress = ProgressMode::off;              // KACHE_PROGRESS
  std::string log_file;                                   // KACHE_LOG_FILE_PATH; "" : no log
  uint8_t log_level = 0;                                  // KACHE_LOG: 0 off, 1 error … 5 trace
  std::string event_root;                                 // KACHE_EVENT_ROOT

  // Where the values came from.
  std::string file;      // the configuration file in force, "" where there is none
  std::vector<std::string> problems;  // one line each: a file or a value that was not used, and why
  std::vector<std::string> ignored_variables;  // that are set, and do not count because of ignore_env
};

// `cwd` and `out_dir` (may be "") are where a .kache.toml is looked for, upwards. `helper` is the path of kache-tool,
// which is run once per changed file.
Config load_config(FileSystem& fs, const Env& env, const std::string& cwd, const std::string& out_dir,
                   const std::string& helper);

// The file that load_config reads, or would read if it were there.
struct ConfigFile {
  std::string path;
  bool is_found = false;
  FileStat stat;
};
ConfigFile find_config_file(FileSystem& fs, const Env& env, const std::string& cwd, const std::string& out_dir);

// The patterns of `extra_inputs = […]` in <manifest_dir>/kache.toml; none without such a file. An Error when the file is
// there and can not be used: then nothing may be stored.
Result<std::vector<std::string>> load_extra_inputs(FileSystem& fs, const Env& env, const std::string& manifest_dir,
                                                   const std::string& helper);

// Sets what one line of a file says. Returns what is wrong with it, "" when nothing is; then the rest of the file counts all the same.
std::string apply_setting(const CompiledSetting& setting, const Env& env, Config& config);

// The same of one line of a kache.toml.
std::string check_extra_inputs(const CompiledSetting& setting);

// KACHE_DISABLED: on for "1" and "true". Looked at before any configuration is loaded.
bool is_disabled(const Env& env);

// $KACHE_CACHE_DIR, $XDG_CACHE_HOME/kache, ~/.cache/kache; with no home, /tmp/kache-<uid>.
std::string default_cache_dir(const Env& env);

}  // namespace kache
