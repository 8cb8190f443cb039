// The commands of kache-tool: one function each, over what main has found out once.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "base/file_system.h"
#include "config/compiled.h"
#include "config/config.h"
#include "store/layout.h"

namespace kache {

struct CommandContext {
  FileSystem& fs;
  Clock& clock;
  Env env;
  std::string cwd;
  std::string kache;  // path of the front door, for `init`
  std::string tool;   // of this program
  Config config;
  StoreLayout layout;
};

// Each returns the exit status: 0 done, 1 failed or found trouble, 2 wrong usage, 3 issues (doctor --strict, report
// --fail-under).

// Which events a command is about: those of a time span, or of one build.
struct EventChoice {
  std::string since = "24h";
  std::string root;   // only of this build tree
  std::string build;  // "1" is the last one; or an id
  bool last_build = false;
};
struct StatsOptions : EventChoice {
  bool json = false;
};
int run_stats(const CommandContext& context, const StatsOptions& options);

struct ListOptions {
  std::string crate;
  std::string sort = "name";
  bool json = false;
};
int run_list(const CommandContext& context, const ListOptions& options);
std::vector<std::string> list_orders();  // the values of --sort

struct ReportOptions : EventChoice {
  std::string format = "text", output;
  size_t top = 10;
  std::string fail_under;  // percent of hits, below which the status is 3; "" for none
  bool redact = false;
};
int run_report(const CommandContext& context, const ReportOptions& options);
std::vector<std::string> report_formats();  // the values of --format

struct WhyMissOptions {
  std::string unit;  // a name, a path or the beginning of a key
  bool json = false;
};
int run_why_miss(const CommandContext& context, const WhyMissOptions& options);
// What it prints of a unit.
Result<std::string> why_miss_text(const CommandContext& context, const std::string& unit);

struct ExplainOptions {
  std::string file;
  bool inputs = false, json = false;
};
int run_explain(const CommandContext& context, const ExplainOptions& options);

struct BuildsOptions {
  std::string root;
  bool json = false;
  size_t top = 20;
};
int run_builds(const CommandContext& context, const BuildsOptions& options);

struct DiffOptions {
  std::string before, after;  // builds; "" for the last one, and the one before it in the same tree
  std::string root;
  bool json = false;
  size_t top = 10;
};
int run_diff(const CommandContext& context, const DiffOptions& options);

struct GcOptions {
  std::string max_age;
  bool stale_schema = false, dry_run = false, json = false, background = false;
};
int run_gc(const CommandContext& context, const GcOptions& options);
struct PurgeOptions {
  std::string unit;  // "" for everything
  bool yes = false, dry_run = false, json = false;
};
int run_purge(const CommandContext& context, const PurgeOptions& options);

struct MonitorOptions {
  std::string since = "24h";
  bool no_mouse = false;
};
int run_monitor(const CommandContext& context, const MonitorOptions& options);

struct CleanOptions {
  std::vector<std::string> dirs;  // none: the working directory
  bool dry_run = false, yes = false, json = false;
  std::string stale;  // only what was not written to for so long
};
int run_clean(const CommandContext& context, const CleanOptions& options);

struct DoctorOptions {
  bool verify = false, checksums = false, repair = false;
  bool json = false;    // machine-readable
  bool strict = false;  // status 3 where there is an issue
};
int run_doctor(const CommandContext& context, const DoctorOptions& options);

struct InitOptions {
  bool yes = false, check = false, undo = false, json = false;
  bool cargo = false, cc = false;  // only this part; none or both: all
};
int run_init(const CommandContext& context, const InitOptions& options);

struct ShimOptions {
  std::string dir;
  bool force = false, archives = false;
};
int run_install_shims(const CommandContext& context, const ShimOptions& options);

struct ConfigOptions {
  std::string key, file;
  std::vector<std::string> values;
  bool json = false, origin = false;
};
int run_config_show(const CommandContext& context, const ConfigOptions& options);
// On a terminal; elsewhere as run_config_show.
int run_config_editor(const CommandContext& context, const ConfigOptions& options);
int run_config_get(const CommandContext& context, const ConfigOptions& options);
int run_config_set(const CommandContext& context, const ConfigOptions& options);
int run_config_unset(const CommandContext& context, const ConfigOptions& options);
int run_config_path(const CommandContext& context, const ConfigOptions& options);
int run_config_check(const CommandContext& context, const ConfigOptions& options);

struct DaemonOptions {
  bool json = false, on_demand = false, print = false, follow = false;
  size_t drain = 30;      // seconds
  size_t lines = 50;
  std::string manager;    // of services; "" for the one of this system
};
int run_daemon_status(const CommandContext& context, const DaemonOptions& options);
int run_daemon_server(const CommandContext& context, const DaemonOptions& options);
int run_daemon_start(const CommandContext& context, const DaemonOptions& options);
int run_daemon_stop(const CommandContext& context, const DaemonOptions& options);
int run_daemon_restart(const CommandContext& context, const DaemonOptions& options);
int run_daemon_log(const CommandContext& context, const DaemonOptions& options);
int run_daemon_install(const CommandContext& context, const DaemonOptions& options);
int run_daemon_uninstall(const CommandContext& context, const DaemonOptions& options);

struct SyncOptions {
  bool pull = false, push = false, all = false, workspace = false, allow_partial = false, dry_run = false, json = false;
  std::string manifest_path, space;
};
int run_sync(const CommandContext& context, const SyncOptions& options);
int run_save_manifest(const CommandContext& context, const SyncOptions& options);
int run_prefetch(const CommandContext& context, const SyncOptions& options);

struct RemoteOptions {
  std::string kind = "records", max_age = "30d", grace = "24h";
  bool dry_run = false, json = false, forget = false, idle = false;
};
int run_remote_check(const CommandContext& context, const RemoteOptions& options);
int run_remote_stats(const CommandContext& context, const RemoteOptions& options);
int run_remote_ls(const CommandContext& context, const RemoteOptions& options);
int run_remote_gc(const CommandContext& context, const RemoteOptions& options);
int run_remote_verify(const CommandContext& context, const RemoteOptions& options);

struct KeysOptions {
  std::string file, comment = "kache";
};
int run_keys_generate(const CommandContext& context, const KeysOptions& options);
int run_keys_show(const CommandContext& context, const KeysOptions& options);

// Becomes cargo; returns only when that fails.
int run_cargo(const CommandContext& context, const std::vector<std::string>& arguments);

// Prints the compiled form of a TOML file on stdout; what is wrong with the file is inside.
int run_config_compile(const std::string& path);
// What a TOML file says, as the wrapper reads it. `path` is for messages.
CompiledConfig compile_config(std::string_view text, const std::string& path);

// Which variables do not count because of cache.ignore_env; "" when none is set.
std::string ignored_note(const Config& config);

// Writes what a file holds beside it, as "<path>.kache-backup.20260822-101112", before it is changed. Returns the name.
Result<std::string> keep_backup(const CommandContext& context, const std::string& path, std::string_view bytes, uint32_t mode);

// One line on stderr: "kache: <message>". Returns 1.
int fail(const std::string& message);

// On the terminal. The end of the input is no answer, and so a no.
bool ask(const std::string& question, bool yes_by_default);

// What events and entries may call the unit that somebody names: a source of C by its last component, a crate with the '_' that
// rustc has where packages have '-'. To be tried in this order.
std::vector<std::string> unit_names(const std::string& given);

// "1.2 MiB", "~2min", "91.3"
std::string human_size(uint64_t bytes);
std::string human_ms(uint64_t ms);
std::string human_us(uint64_t us);  // "0.4ms", "38ms", "1.9s"
std::string percent(uint64_t part, uint64_t whole);
// Control characters as \x1b, so that no name can play with a terminal.
std::string printable(std::string_view text);
std::string padded(std::string text, size_t width, bool right = false);

}  // namespace kache
