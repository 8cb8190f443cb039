// Every option with the value that is in force and where it comes from; and what is wrong with a configuration file.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "config/options.h"

namespace kache {

enum class SettingSource : uint8_t { standard, file, environment };
const char* source_name(SettingSource source);  // "default", "file", "environment"

struct Setting {
  const Option* option = nullptr;
  OptionValue value, standard;  // in force, and the default
  SettingSource source = SettingSource::standard;
  std::string where;  // "/x/.kache.toml:3", "KACHE_MAX_SIZE"; "" of a default
};

// All that are used, in the order of the table; and those that are only known, where they are set.
std::vector<Setting> settings_in_force(const CommandContext& context);
Setting setting_of(const CommandContext& context, const Option& option);

// "50GiB", "30s", "a, b": as `config set` takes it, but for lists.
std::string value_text(const Option& option, const OptionValue& value);
// For what people send to each other and for logs: "(set)" for a secret, and URLs without passwords.
OptionValue without_secrets(const Option& option, OptionValue value);
OptionValue shown_value(const Setting& setting);
nlohmann::ordered_json value_json(const Option& option, const OptionValue& value);
// As it stands in a file.
std::string value_literal(const Option& option, const OptionValue& value);
// "size", "true or false", "list"
std::string type_text(const Option& option);
// For the manual: without the paths of this machine.
std::string default_text(const Option& option);

// By its key, by the last part of its key where that is enough, or by its variable. nullptr when there is none.
const Option* option_named(std::string_view name);
std::string_view nearest_option(std::string_view name);

struct FileProblem {
  uint64_t line = 0, column = 0;  // 0 where the whole file is meant
  std::string key, message, suggestion;
};
// What is wrong with a text that stands in `path`. By its name, kache.toml has the rules of a package.
std::vector<FileProblem> check_config_text(std::string_view text, const std::string& path, const Env& env);

}  // namespace kache
