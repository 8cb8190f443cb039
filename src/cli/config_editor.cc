// `kache config` on a terminal: the options, and a screen to change them on.
#include <algorithm>

#include "base/path.h"
#include "cli/config_edit.h"
#include "cli/settings.h"
#include "tui/config_screen.h"
#include "tui/terminal.h"

namespace kache {
namespace {

// A list in TOML's notation, so that its items may hold commas and blanks.
std::string typed(const Option& option, const OptionValue& value) {
  return option.is_list() ? value_literal(option, value) : value_text(option, value);
}

std::string lock_of(const CommandContext& context, const Setting& setting) {
  const Option& option = *setting.option;
  std::string variable(option.variable);
  if (option.key.empty()) return "only the variable " + variable + " sets it";
  if (!option.is_used()) return "known, and not used here";
  bool is_secret = shown_value(setting) != setting.value;
  if (setting.source == SettingSource::environment) {
    return "env: " + variable + (is_secret ? "" : "=" + std::string(context.env.get_or_empty(variable)));
  }
  // What is shown without its password would be saved without it.
  if (is_secret) return "holds a secret; kache config set " + std::string(option.name()) + " changes it";
  return {};
}

ConfigField field_of(const CommandContext& context, const Setting& setting) {
  const Option& option = *setting.option;
  std::string name(option.name());
  size_t dot = option.key.find('.');
  ConfigField field;
  field.section = option.key.empty() ? "environment" : name.substr(0, dot);
  field.name = option.key.empty() ? name : name.substr(dot + 1);
  field.key = option.key;
  field.value = typed(option, shown_value(setting));
  field.standard = typed(option, setting.standard);
  field.source = source_name(setting.source);
  if (setting.source == SettingSource::file) field.source = setting.where.substr(setting.where.rfind('/') + 1);
  if (setting.source == SettingSource::environment) field.source = "env " + setting.where;
  field.help = option.help;
  field.type = type_text(option);
  field.lock = lock_of(context, setting);
  field.is_switch = option.type == OptionType::boolean;
  return field;
}

std::vector<ConfigField> fields_of(const CommandContext& context) {
  std::vector<ConfigField> fields;
  for (const Setting& setting : settings_in_force(context)) {
    ConfigField field = field_of(context, setting);
    // Sections stand together, and what only the environment sets at the end.
    auto last = std::find_if(fields.rbegin(), fields.rend(), [&](const ConfigField& known) { return known.section == field.section; });
    auto environment = std::find_if(fields.begin(), fields.end(), [](const ConfigField& known) { return known.section == "environment"; });
    fields.insert(last == fields.rend() ? environment : last.base(), std::move(field));
  }
  return fields;
}

// What was typed, as TOML. A list without brackets is read as its variable would be.
Result<std::string> literal_of_typed(const Option& option, const std::string& text, const Env& env) {
  if (!option.is_list()) return literal_of(option, {text}, env);
  if (!text.starts_with('[')) return literal_of(option, split_list(option, text), env);
  CompiledConfig parsed = compile_config("x = " + text, "");
  bool is_list = parsed.problem.empty() && parsed.settings.size() == 1 && parsed.settings[0].shape == CompiledSetting::list;
  if (!is_list) return Error{ErrorCode::invalid, 0, "a list: [\"a\", \"b\"]"};
  return literal_of(option, parsed.settings[0].values, env);
}

// All that was changed, in one new text of the file.
Result<std::string> edited(const CommandContext& context, const std::vector<ConfigField>& fields, std::string text) {
  for (const ConfigField& field : fields) {
    if (field.change == ConfigField::kept) continue;
    std::optional<std::string> literal;
    if (field.change == ConfigField::set) literal = KACHE_TRY(literal_of_typed(*option_named(field.key), field.value, context.env));
    Result<std::string> next = edit_toml(text, path_of(field.key), literal);
    if (!next.ok()) return std::move(next).error().in(field.key);
    text = std::move(*next);
  }
  return text;
}

// The directory is known, and would fill the line.
std::string without_dir(std::string message, const std::string& path) {
  std::string dir = std::string(dir_name(path)) + "/";
  for (size_t at; (at = message.find(dir)) != std::string::npos;) message.erase(at, dir.size());
  return message;
}

void save(const CommandContext& context, FileText& file, ConfigScreen& screen) {
  Result<std::string> text = edited(context, screen.fields, file.text);
  std::string backup;
  Status written = text.ok() ? write_edited(context, file, *text, &backup) : Status(text.error());
  if (!written.ok()) return screen.say("Save failed: " + without_dir(written.error().message, file.path), true);
  file.text = *text;
  file.exists = true;
  mark_saved(screen);
  screen.say(backup.empty() ? "Saved!" : "Saved! The old file is " + std::string(base_name(backup)), false);
}

}  // namespace

int run_config_editor(const CommandContext& context, const ConfigOptions& options) {
  if (options.json || !has_screen(context.env)) return run_config_show(context, options);
  Result<FileText> file = read_to_edit(context, "");
  if (!file.ok()) return fail(file.error().message);
  ConfigScreen screen;
  screen.fields = fields_of(context);
  screen.file = file->path;
  screen.file_exists = file->exists;
  screen.check = [&](const ConfigField& field, const std::string& text) {
    Result<std::string> literal = literal_of_typed(*option_named(field.key), text, context.env);
    return literal.ok() ? std::string() : literal.error().message;
  };
  // A file that is broken is not written over; this says where.
  if (!context.config.problems.empty()) screen.say(without_dir(context.config.problems.front(), file->path), true);
  Result<Terminal> terminal = Terminal::open(context.env);
  if (!terminal.ok()) return fail(terminal.error().message + ", or use kache config show and kache config set");
  for (;;) {
    terminal->show(draw(screen, terminal->width(), terminal->height()));
    ConfigAnswer answer = press(screen, terminal->read_key(60'000), terminal->height());
    if (answer == ConfigAnswer::save) save(context, *file, screen);
    if (answer == ConfigAnswer::quit || terminal->ended_by_signal()) return terminal->ended_by_signal();
  }
}

}  // namespace kache
