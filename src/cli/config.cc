// `kache config`: what is set, where, and the change of one setting.
#include <cstdio>

#include "base/path.h"
#include "cli/config_edit.h"
#include "cli/settings.h"
#include "cli/toml_document.h"

namespace kache {
namespace {

using json = nlohmann::ordered_json;

constexpr uint64_t kMaxFileSize = 1u << 20;

int unknown_key(const std::string& key) {
  std::string_view near = nearest_option(key);
  fail("there is no option " + key + (near.empty() ? "; see kache config show" : "; did you mean " + std::string(near) + "?"));
  return 2;
}

void print_json(const json& answer) { std::puts(answer.dump(2, ' ', false, json::error_handler_t::replace).c_str()); }

json json_of(const Setting& setting, const OptionValue& value) {
  const Option& option = *setting.option;
  json row = {{"key", option.name()},
              {"variable", option.variable.empty() ? json() : json(option.variable)},
              {"value", value_json(option, value)},
              {"default", option.is_used() ? value_json(option, setting.standard) : json()},
              {"source", source_name(setting.source)},
              {"where", setting.where.empty() ? json() : json(setting.where)},
              {"type", type_text(option)},
              {"used", option.is_used()},
              {"help", option.help}};
  return row;
}

json head(const char* command) { return {{"schema_version", 1}, {"command", command}}; }

json file_json(const CommandContext& context) { return context.config.file.empty() ? json() : json(context.config.file); }

// What stands in the file, as it may be shown in the log of a job.
std::string shown_literal(const Option& option, const std::string& literal) {
  CompiledConfig parsed = compile_config("x = " + literal, "");
  if (parsed.settings.size() != 1) return literal;
  OptionValue shown = without_secrets(option, parsed.settings[0].values);
  return shown == parsed.settings[0].values ? literal : value_literal(option, shown);
}

bool others_may_read(const CommandContext& context, const std::string& path) {
  Result<FileStat> stat = context.fs.stat(path);
  return stat.ok() && (stat->mode & 044);
}

// Sets or, without a value, unsets.
int change(const CommandContext& context, const ConfigOptions& options, const Option& option, const std::optional<std::string>& literal) {
  std::string key(option.key), shown = literal ? shown_literal(option, *literal) : "";
  Result<FileText> old = read_to_edit(context, options.file);
  if (!old.ok()) return fail(old.error().message);
  Result<std::string> text = edit_toml(old->text, path_of(key), literal);
  if (!text.ok()) return fail(old->path + ": " + key + ": " + text.error().message);
  if (*text == old->text) {
    std::printf(literal ? "%s is %s already in %s.\n" : "%s is not set in %s%s.\n", key.c_str(),
                literal ? shown.c_str() : old->path.c_str(), literal ? old->path.c_str() : "");
    return 0;
  }
  std::string backup;
  Status written = write_edited(context, *old, *text, &backup);
  if (!written.ok()) return fail(written.error().message);
  if (literal) std::printf("%s: %s = %s\n", old->path.c_str(), key.c_str(), shown.c_str());
  else std::printf("%s: %s is no longer set\n", old->path.c_str(), key.c_str());
  if (!backup.empty()) std::printf("  the old file is %s\n", backup.c_str());
  bool is_secret = literal && shown != *literal;
  if (is_secret && others_may_read(context, old->path)) std::printf("  others can read the secret in it: chmod 600 %s\n", old->path.c_str());
  bool is_overridden = !option.variable.empty() && context.env.has(option.variable) && !context.config.ignore_env;
  if (is_overridden) std::printf("  %s is set in the environment, and wins\n", std::string(option.variable).c_str());
  return 0;
}

json json_of(const FileProblem& problem, const std::string& path) {
  json row = {{"file", path}, {"line", problem.line}, {"column", problem.column}, {"message", problem.message}};
  if (!problem.key.empty()) row["key"] = problem.key;
  if (!problem.suggestion.empty()) row["suggestion"] = problem.suggestion;
  return row;
}

std::string place_of(const FileProblem& problem, const std::string& path) {
  if (problem.line == 0) return path;
  return path + ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
}

// Of the variables there is no place but their name.
std::vector<std::string> problems_of_variables(const CommandContext& context) {
  std::vector<std::string> out;
  for (size_t i = 0; i < option_count() + known_option_count(); ++i) {
    const Option& option = i < option_count() ? options()[i] : known_options()[i - option_count()];
    const char* value = option.variable.empty() ? nullptr : context.env.get(option.variable);
    Config scratch;
    if (!value || !*value || (context.config.ignore_env && !option.key.empty())) continue;
    Status set = set_option(option, value, context.env, scratch);
    if (!set.ok()) out.push_back(std::string(option.variable) + ": expected " + set.error().message);
  }
  return out;
}

}  // namespace

std::string ignored_note(const Config& config) {
  std::string names;
  for (const std::string& name : config.ignored_variables) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "" : config.file + ": cache.ignore_env is on, and these variables do not count: " + names;
}

int run_config_show(const CommandContext& context, const ConfigOptions& options) {
  std::vector<Setting> settings = settings_in_force(context);
  if (options.json) {
    json answer = head("config show");
    answer["file"] = file_json(context);
    answer["problems"] = context.config.problems;
    answer["ignored_variables"] = context.config.ignored_variables;
    answer["options"] = json::array();
    for (const Setting& setting : settings) answer["options"].push_back(json_of(setting, shown_value(setting)));
    return print_json(answer), 0;
  }
  size_t key_width = 0, value_width = 0;
  for (const Setting& setting : settings) {
    key_width = std::max(key_width, setting.option->name().size());
    size_t width = value_text(*setting.option, shown_value(setting)).size();
    if (width <= 40) value_width = std::max(value_width, width);
  }
  std::printf("File: %s\n\n", context.config.file.empty() ? "none" : context.config.file.c_str());
  for (const Setting& setting : settings) {
    std::string text = value_text(*setting.option, shown_value(setting));
    bool is_default = setting.source == SettingSource::standard;
    std::string source = options.origin && !is_default ? setting.where : source_name(setting.source);
    std::printf("%s  %s  %s%s\n", padded(std::string(setting.option->name()), key_width).c_str(),
                padded(text.empty() ? "-" : text, value_width).c_str(), source.c_str(), setting.option->is_used() ? "" : " (not used here)");
  }
  return 0;
}

int run_config_get(const CommandContext& context, const ConfigOptions& options) {
  const Option* option = option_named(options.key);
  if (!option) return unknown_key(options.key);
  Setting setting = setting_of(context, *option);
  if (options.json) {
    json answer = head("config get");
    answer.update(json_of(setting, setting.value));
    return print_json(answer), 0;
  }
  if (setting.source == SettingSource::standard && !option->is_used()) return fail(std::string(option->name()) + " is not set");
  if (!option->is_list()) return std::puts(value_text(*option, setting.value).c_str()), 0;
  for (const std::string& item : setting.value) std::puts(item.c_str());
  return 0;
}

int run_config_set(const CommandContext& context, const ConfigOptions& options) {
  const Option* option = option_named(options.key);
  if (!option) return unknown_key(options.key);
  std::string name(option->name());
  if (option->key.empty()) return fail(name + " is a variable and has no key in a file; export it"), 2;
  if (options.values.empty()) return fail(name + ": say which value; '' empties a list"), 2;
  if (options.values.size() > 1 && !option->is_list() && option->type != OptionType::command) {
    return fail(name + " takes one value, not " + std::to_string(options.values.size())), 2;
  }
  Result<std::string> literal = literal_of(*option, options.values, context.env);
  if (!literal.ok()) return fail(name + ": expected " + literal.error().message), 2;
  return change(context, options, *option, *literal);
}

int run_config_unset(const CommandContext& context, const ConfigOptions& options) {
  const Option* option = option_named(options.key);
  if (!option) return unknown_key(options.key);
  if (option->key.empty()) return fail(std::string(option->name()) + " is a variable and has no key in a file; unset it in your shell"), 2;
  return change(context, options, *option, std::nullopt);
}

int run_config_path(const CommandContext& context, const ConfigOptions& options) {
  ConfigFile file = find_config_file(context.fs, context.env, context.cwd, "");
  if (options.json) {
    json answer = head("config path");
    answer["path"] = file.path;
    answer["exists"] = file.is_found;
    return print_json(answer), 0;
  }
  std::puts(file.path.c_str());
  return 0;
}

int run_config_check(const CommandContext& context, const ConfigOptions& options) {
  std::string path = options.file.empty() ? context.config.file : absolute_path(context.cwd, options.file);
  std::vector<FileProblem> problems;
  std::vector<std::string> variables;
  if (options.file.empty()) variables = problems_of_variables(context);
  if (!path.empty()) {
    Result<FileStat> stat = context.fs.stat(path);
    Result<std::string> text = stat.ok() && !stat->is_regular() ? Result<std::string>(Error{ErrorCode::invalid, 0, "not a regular file"})
                                                                : read_file(context.fs, path, kMaxFileSize);
    if (text.ok()) problems = check_config_text(*text, path, context.env);
    else problems.push_back({0, 0, "", text.error().message, ""});
  }
  bool is_missing = path.empty() && !context.env.get_or_empty("KACHE_CONFIG").empty();
  if (is_missing) variables.push_back("KACHE_CONFIG: no such file: " + std::string(context.env.get_or_empty("KACHE_CONFIG")));
  bool is_good = problems.empty() && variables.empty();
  if (options.json) {
    json answer = head("config check");
    answer["file"] = path.empty() ? json() : json(path);
    answer["ok"] = is_good;
    answer["problems"] = json::array();
    for (const FileProblem& problem : problems) answer["problems"].push_back(json_of(problem, path));
    for (const std::string& problem : variables) answer["problems"].push_back({{"message", problem}});
    print_json(answer);
    return is_good ? 0 : 1;
  }
  for (const FileProblem& problem : problems) {
    std::string message = problem.message;
    if (problem.line == 0 && message.starts_with(path + ": ")) message.erase(0, path.size() + 2);
    std::printf("%s: %s\n", place_of(problem, path).c_str(), message.c_str());
  }
  for (const std::string& problem : variables) std::puts(problem.c_str());
  if (is_good) std::printf("%s: %s\n", path.empty() ? "no file" : path.c_str(), path.empty() ? "the defaults are in force" : "good");
  return is_good ? 0 : 1;
}

}  // namespace kache
