#include "config/config.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/frame.h"
#include "base/path.h"
#include "config/compiled.h"
#include "config/options.h"

extern char** environ;

namespace kache {
namespace {

constexpr std::string_view kCacheMagic = "KCONFI02";
constexpr uint64_t kMaxCompiled = 4u << 20;
constexpr std::string_view kExtraRules = "workspace.extra_inputs";

// The output of a program; empty when it can not be started or fails.
std::string output_of(const std::string& program, const std::vector<std::string>& args) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return {};
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  int failed = ::posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(fds[1]);
  std::string out;
  if (!failed) {
    char buffer[16 << 10];
    for (ssize_t n; (n = ::read(fds[0], buffer, sizeof buffer)) != 0 && out.size() <= kMaxCompiled;) {
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) break;
      out.append(buffer, static_cast<size_t>(n));
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) out.clear();
  }
  ::close(fds[0]);
  return out;
}

// A TOML file in its compiled form, from the copy that is keyed by the file's identity or from the tool. A file that the
// tool could not compile is remembered too, so that it costs one start and not one for each compile.
Result<CompiledConfig> compiled_form(FileSystem& fs, const Env& env, const std::string& path, const FileStat& file,
                                     const std::string& helper) {
  std::string dir = default_cache_dir(env) + "/config";
  std::string copy = dir + "/" + digest_bytes(path).hex().substr(0, 32);
  ByteWriter head;
  head.text(path);
  for (uint64_t part : {file.dev, file.ino, file.size, static_cast<uint64_t>(file.mtime_ns),
                        static_cast<uint64_t>(file.ctime_ns)}) {
    head.u64(part);
  }
  Result<std::string> bytes = read_file(fs, copy, kMaxCompiled);
  if (bytes.ok()) {
    Result<std::string_view> payload = open_frame(kCacheMagic, *bytes);
    if (payload.ok() && payload->starts_with(head.bytes())) return decode_compiled(payload->substr(head.size()));
  }
  std::string compiled = output_of(helper, {"__config-compile", path});
  if (compiled.empty() || !decode_compiled(compiled).ok()) {
    CompiledConfig failed;
    failed.problem = path + ": could not be compiled by " + helper;
    compiled = encode_compiled(failed);
  }
  if (make_dirs(fs, dir, 0700).ok()) {
    (void)replace_file(fs, copy, seal_frame(kCacheMagic, head.bytes() + compiled), 0600);
  }
  return decode_compiled(compiled);
}

// The first .kache.toml from `dir` upwards, as far as where somebody who began at `seen` has looked already.
bool find_upwards(FileSystem& fs, std::string_view dir, std::string_view seen, std::string* path, FileStat* stat) {
  while (is_absolute(dir) && !is_below(seen, dir)) {
    std::string candidate = join_path(dir, ".kache.toml");
    Result<FileStat> found = fs.stat(candidate);
    if (found.ok() && found->is_regular()) {
      *path = std::move(candidate);
      *stat = *found;
      return true;
    }
    if (dir == "/") return false;
    dir = dir_name(dir);
  }
  return false;
}

// A variable that is set and empty says that a list is empty. Of other options it says nothing.
// The exception is a way of saying "no bucket" for one shell.
bool takes_empty_variable(const Option& option) {
  return option.is_list() || option.type == OptionType::command || option.variable == "KACHE_S3_BUCKET";
}

// The default of local_store looks at the variable too.
bool says_ignore_env(const CompiledConfig& file) {
  for (const CompiledSetting& setting : file.settings) {
    if (setting.key != "cache.ignore_env" || setting.values.size() != 1) continue;
    Result<bool> on = parse_bool(setting.values.front());
    return on.ok() && *on;
  }
  return false;
}

Env without_cache_dir(Env env) {
  env.unset("KACHE_CACHE_DIR");
  return env;
}

void apply_file(const CompiledConfig& file, const Env& env, Config& config) {
  for (const CompiledSetting& setting : file.settings) {
    std::string problem = apply_setting(setting, env, config);
    if (problem.empty()) continue;
    config.problems.push_back(config.file + ":" + std::to_string(setting.line) + ": " + problem);
  }
}

// The value of each option's variable. Few variables are ours, so these are looked for among the options and not the other
// way round: this is done for each hit.
std::vector<const char*> values_in(const Env& env) {
  std::vector<const char*> values(option_count());
  for (const std::string& entry : env.entries()) {
    if (!entry.starts_with("KACHE_")) continue;
    std::string_view name = std::string_view(entry).substr(0, entry.find('='));
    for (size_t i = 0; i < option_count(); ++i) {
      if (options()[i].variable == name) values[i] = env.get(name);
    }
  }
  return values;
}

void apply_env(const Env& env, Config& config) {
  std::vector<const char*> values = values_in(env);
  for (size_t i = 0; i < option_count(); ++i) {
    const Option& option = options()[i];
    const char* value = values[i];
    if (!value || (*value == '\0' && !takes_empty_variable(option))) continue;
    if (config.ignore_env && !option.key.empty()) {
      config.ignored_variables.emplace_back(option.variable);
      continue;
    }
    Status set = set_option(option, value, env, config);
    if (!set.ok()) config.problems.push_back(std::string(option.variable) + ": expected " + set.error().message);
  }
}

}  // namespace

ConfigFile find_config_file(FileSystem& fs, const Env& env, const std::string& cwd, const std::string& out_dir) {
  ConfigFile file;
  std::string_view given = env.get_or_empty("KACHE_CONFIG");
  if (!given.empty()) {
    file.path = absolute_path(cwd, expand_home(given, env));
  } else {
    // A registry crate is compiled far from the workspace; its outputs are not.
    file.is_found = find_upwards(fs, cwd, "", &file.path, &file.stat) ||
                    (!out_dir.empty() && find_upwards(fs, out_dir, cwd, &file.path, &file.stat));
    if (file.is_found) return file;
    std::string_view xdg = env.get_or_empty("XDG_CONFIG_HOME");
    file.path = is_absolute(xdg) ? join_path(xdg, "kache/config.toml")
                                 : join_path(env.get_or_empty("HOME"), ".config/kache/config.toml");
  }
  Result<FileStat> found = fs.stat(file.path);
  file.is_found = found.ok();
  if (found.ok()) file.stat = *found;
  return file;
}

bool is_disabled(const Env& env) {
  Result<bool> on = parse_bool(env.get_or_empty("KACHE_DISABLED"));
  return on.ok() && *on;
}

// "workspace.extra_inputs" is a list of patterns; "workspace.extra_inputs.0.crates" belongs to the first of several rules.
static std::string read_extra_rule(const CompiledSetting& setting, Config& config) {
  std::string_view rest = std::string_view(setting.key).substr(kExtraRules.size());
  size_t dot = rest.rfind('.');
  std::string place(rest.substr(0, dot == 0 || dot == std::string_view::npos ? 0 : dot));
  std::string_view field = place.empty() && rest.empty() ? "paths" : rest.substr(dot + 1);
  auto rule = std::find_if(config.extra_rules.begin(), config.extra_rules.end(), [&](const ExtraRule& one) { return one.place == place; });
  if (rule == config.extra_rules.end()) rule = config.extra_rules.insert(rule, ExtraRule{place, {}, {}, false});
  if (setting.shape == CompiledSetting::other) return "expected a list of texts";
  auto is_one_of = [&](std::initializer_list<std::string_view> names) { return std::find(names.begin(), names.end(), field) != names.end(); };
  if (is_one_of({"propagate_to_dependents"})) {
    Result<bool> on = setting.values.size() == 1 ? parse_bool(setting.values[0]) : Result<bool>(Error{});
    if (!on.ok()) return "expected true or false";
    rule->for_dependents = *on;
    return {};
  }
  if (is_one_of({"crates", "crate", "packages", "package"})) return rule->crates = setting.values, "";
  if (!is_one_of({"paths", "inputs", "globs", "patterns"})) return "unknown key; a rule has paths, crates and propagate_to_dependents";
  for (const std::string& pattern : setting.values) {
    bool leaves = is_absolute(pattern) || pattern == ".." || pattern.starts_with("../") || pattern.find("/../") != std::string::npos;
    if (pattern.empty() || leaves) return "expected patterns below the directory of the file, without ..";
  }
  rule->patterns = setting.values;
  return {};
}

static std::string apply_extra_rule(const CompiledSetting& setting, Config& config) {
  std::string problem = read_extra_rule(setting, config);
  if (problem.empty()) return {};
  problem = setting.key + ": " + problem;
  config.extra_problem = problem;
  return problem;
}

std::string apply_setting(const CompiledSetting& setting, const Env& env, Config& config) {
  const Option* option = find_option(setting.key);
  if (setting.key == kExtraRules || setting.key.starts_with(std::string(kExtraRules) + ".")) return apply_extra_rule(setting, config);
  if (!option && is_foreign_key(setting.key)) return {};
  if (!option) {
    std::string_view near = nearest_key(setting.key);
    return "unknown key " + setting.key + (near.empty() ? "" : "; did you mean " + std::string(near) + "?");
  }
  Status set = Ok{};
  if (setting.shape == CompiledSetting::other) set = Error{ErrorCode::invalid, 0, "a text, a number, true or false, or a list of texts"};
  else if (setting.shape == CompiledSetting::list || option->is_list()) set = set_option_list(*option, setting.values, env, config);
  else set = set_option(*option, setting.values.empty() ? "" : setting.values.front(), env, config);
  return set.ok() ? "" : setting.key + ": expected " + set.error().message;
}

std::string check_extra_inputs(const CompiledSetting& setting) {
  if (setting.key != "extra_inputs") return "unknown key " + setting.key + "; extra_inputs is what this file may say";
  if (setting.shape == CompiledSetting::other) return "extra_inputs: expected a list of patterns";
  return {};
}

std::string default_cache_dir(const Env& env) {
  std::string_view given = env.get_or_empty("KACHE_CACHE_DIR");
  if (!given.empty()) {
    std::string path = expand_home(given, env);
    if (is_absolute(path)) return tidy_path(path);
  }
  std::string_view xdg = env.get_or_empty("XDG_CACHE_HOME");
  if (is_absolute(xdg)) return tidy_path(join_path(xdg, "kache"));
  std::string_view home = env.get_or_empty("HOME");
  if (is_absolute(home)) return tidy_path(join_path(home, ".cache/kache"));
  return "/tmp/kache-" + std::to_string(::getuid());
}

Config load_config(FileSystem& fs, const Env& env, const std::string& cwd, const std::string& out_dir,
                   const std::string& helper) {
  Config config;
  config.cache_dir = default_cache_dir(env);
  ConfigFile found = find_config_file(fs, env, cwd, out_dir);
  if (found.is_found) config.file = found.path;
  if (found.is_found && !found.stat.is_regular()) {
    config.problems.push_back(config.file + ": not a regular file");
  } else if (!found.is_found && !env.get_or_empty("KACHE_CONFIG").empty()) {
    config.problems.push_back("KACHE_CONFIG: no such file: " + std::string(env.get_or_empty("KACHE_CONFIG")));
  } else if (found.is_found) {
    Result<CompiledConfig> file = compiled_form(fs, env, config.file, found.stat, helper);
    if (file.ok()) {
      if (!file->problem.empty()) config.problems.push_back(file->problem);
      if (says_ignore_env(*file)) config.cache_dir = default_cache_dir(without_cache_dir(env));
      config.extra_dir = dir_name(config.file);
      apply_file(*file, env, config);
    } else {
      config.problems.push_back(config.file + ": " + file.error().message);
    }
  }
  apply_env(env, config);
  return config;
}

Result<std::vector<std::string>> load_extra_inputs(FileSystem& fs, const Env& env, const std::string& manifest_dir,
                                                   const std::string& helper) {
  std::vector<std::string> patterns;
  std::string path = join_path(manifest_dir, "kache.toml");
  Result<FileStat> stat = fs.stat(path);
  if (!stat.ok()) {
    if (stat.code() == ErrorCode::not_found) return patterns;
    return std::move(stat).error();
  }
  if (!stat->is_regular()) return Error{ErrorCode::invalid, 0, path + ": not a regular file"};
  CompiledConfig file = KACHE_TRY(compiled_form(fs, env, path, *stat, helper));
  if (!file.problem.empty()) return Error{ErrorCode::invalid, 0, file.problem};
  for (CompiledSetting& setting : file.settings) {
    std::string problem = check_extra_inputs(setting);
    if (!problem.empty()) return Error{ErrorCode::invalid, 0, path + ":" + std::to_string(setting.line) + ": " + problem};
    for (std::string& value : setting.values) patterns.push_back(std::move(value));
  }
  return patterns;
}

}  // namespace kache
