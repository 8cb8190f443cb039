#include "cli/settings.h"

#include <algorithm>

#include "base/duration.h"
#include "base/nearest.h"
#include "base/path.h"
#include "cli/toml_document.h"

namespace kache {
namespace {

using json = nlohmann::ordered_json;

constexpr uint64_t kMaxFileSize = 1u << 20;

const Option& option_at(size_t i) { return i < option_count() ? options()[i] : known_options()[i - option_count()]; }
size_t all_count() { return option_count() + known_option_count(); }

Env without_cache_dir(Env env) {
  env.unset("KACHE_CACHE_DIR");
  return env;
}

// What the file says, or nothing.
CompiledConfig read_settings(const CommandContext& context) {
  if (context.config.file.empty()) return {};
  Result<std::string> text = read_file(context.fs, context.config.file, kMaxFileSize);
  return text.ok() ? compile_config(*text, context.config.file) : CompiledConfig{};
}

// A value that is known and not used is what was written.
OptionValue value_in(const Option& option, const Config& config, const OptionValue& written) {
  return option.is_used() ? option_value(option, config) : written;
}

Setting resolve(const CommandContext& context, const CompiledConfig& file, const Option& option) {
  Config standard;
  standard.cache_dir = default_cache_dir(without_cache_dir(context.env));
  Setting setting;
  setting.option = &option;
  setting.value = setting.standard = value_in(option, standard, {});
  for (const CompiledSetting& said : file.settings) {
    if (option.key.empty() || said.key != option.key) continue;
    Config probe = standard;
    bool is_good = apply_setting(said, context.env, probe).empty();
    OptionValue value = value_in(option, probe, said.values);
    if (!is_good && value == setting.standard) continue;
    setting.value = value;
    setting.source = SettingSource::file;
    setting.where = context.config.file + ":" + std::to_string(said.line);
  }
  const char* variable = option.variable.empty() ? nullptr : context.env.get(option.variable);
  bool counts = variable && (*variable || option.is_list() || option.type == OptionType::command) &&
                !(context.config.ignore_env && !option.key.empty());
  Config probe = standard;
  if (counts && set_option(option, variable, context.env, probe).ok()) {
    setting.value = value_in(option, probe, {variable});
    setting.source = SettingSource::environment;
    setting.where = option.variable;
  }
  return setting;
}

struct UnitOfTime {
  OptionType type;
  const char* suffix;
  int64_t ns;
};
constexpr UnitOfTime kUnitsOfTime[] = {
    {OptionType::hours, "h", int64_t{3600} * 1'000'000'000}, {OptionType::seconds, "s", 1'000'000'000}, {OptionType::milliseconds, "ms", 1'000'000}};

std::string exact_size(const std::string& bytes) {
  Result<uint64_t> size = parse_size(bytes);
  if (!size.ok() || *size == 0) return bytes;
  constexpr const char* kNames[] = {"", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  size_t unit = 0;
  uint64_t number = *size;
  for (; number % 1024 == 0 && unit + 1 < std::size(kNames); ++unit) number /= 1024;
  return std::to_string(number) + kNames[unit];
}

bool is_number(const Option& option) {
  switch (option.type) {
    case OptionType::integer:
    case OptionType::percent:
    case OptionType::size:
    case OptionType::hours:
    case OptionType::seconds:
    case OptionType::milliseconds: return true;
    default: return false;
  }
}

std::string number_in_units(const Option& option, const std::string& text) {
  for (const UnitOfTime& unit : kUnitsOfTime) {
    Result<int64_t> span = unit.type == option.type ? parse_duration(text, unit.ns) : Result<int64_t>(0);
    if (unit.type == option.type && span.ok()) return std::to_string((*span + unit.ns - 1) / unit.ns);
  }
  return std::to_string(std::stoull(text));  // "5%" is 5
}

bool is_digits(const std::string& text) { return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos; }

std::string joined(const OptionValue& value, const char* separator) {
  std::string out;
  for (const std::string& item : value) out += (out.empty() ? "" : separator) + item;
  return out;
}

// "redis://user:password@host" → "redis://user:***@host"
std::string without_password(const std::string& url) {
  size_t scheme = url.find("://");
  size_t end = scheme == std::string::npos ? 0 : std::min(url.find_first_of("/?", scheme + 3), url.size());
  size_t at = url.rfind('@', end), colon = scheme == std::string::npos ? std::string::npos : url.find(':', scheme + 3);
  if (end == 0 || at == std::string::npos || colon > at) return url;
  return url.substr(0, colon + 1) + "***" + url.substr(at);
}

}  // namespace

const char* source_name(SettingSource source) {
  constexpr const char* kNames[] = {"default", "file", "environment"};
  return kNames[static_cast<size_t>(source)];
}

Setting setting_of(const CommandContext& context, const Option& option) { return resolve(context, read_settings(context), option); }

std::vector<Setting> settings_in_force(const CommandContext& context) {
  CompiledConfig file = read_settings(context);
  std::vector<Setting> out;
  for (size_t i = 0; i < all_count(); ++i) {
    Setting setting = resolve(context, file, option_at(i));
    if (setting.option->is_used() || setting.source != SettingSource::standard) out.push_back(std::move(setting));
  }
  return out;
}

std::string value_text(const Option& option, const OptionValue& value) {
  if (option.is_list()) return joined(value, ", ");
  std::string text = joined(value, " ");
  if (!is_digits(text) || text == "0") return text;
  if (option.type == OptionType::size) return exact_size(text);
  for (const UnitOfTime& unit : kUnitsOfTime) {
    if (unit.type == option.type) return text + unit.suffix;
  }
  return text;
}

OptionValue without_secrets(const Option& option, OptionValue value) {
  if (option.key.ends_with(".token")) return {"(set)"};
  if (option.key == "cache.remotes") {
    for (std::string& url : value) url = without_password(url);
  }
  return value;
}

OptionValue shown_value(const Setting& setting) {
  return setting.source == SettingSource::standard ? setting.value : without_secrets(*setting.option, setting.value);
}

json value_json(const Option& option, const OptionValue& value) {
  if (option.is_list()) return value;
  if (option.type == OptionType::command) return joined(value, " ");
  if (value.empty()) return nullptr;
  if (option.type == OptionType::boolean) return value[0] == "true";
  if (is_number(option) && is_digits(value[0])) return std::stoull(value[0]);
  return value[0];
}

std::string value_literal(const Option& option, const OptionValue& value) {
  if (option.is_list()) return toml_list(value);
  std::string text = joined(value, " ");
  if (option.type == OptionType::boolean) {
    Result<bool> on = parse_bool(text);
    if (on.ok()) return *on ? "true" : "false";
  }
  // The program whose files are read too takes sizes as texts, and all other numbers as numbers: no "2w", no 007.
  if (!is_number(option) || option.type == OptionType::size) return toml_string(text);
  return number_in_units(option, text);
}

std::string type_text(const Option& option) {
  switch (option.type) {
    case OptionType::boolean: return "true or false";
    case OptionType::integer: return "number";
    case OptionType::percent: return "percentage";
    case OptionType::size: return "size";
    case OptionType::hours: return "hours, or a span of time";
    case OptionType::seconds: return "seconds, or a span of time";
    case OptionType::milliseconds: return "milliseconds, or a span of time";
    case OptionType::text: return "text";
    case OptionType::path: return "path";
    case OptionType::list:
    case OptionType::words: return "list";
    case OptionType::paths: return "list of paths";
    case OptionType::command: return "command";
    default: break;
  }
  std::vector<std::string_view> words = option_words(option);
  std::string out;
  for (size_t i = 0; i < words.size(); ++i) out += (i == 0 ? "" : i + 1 < words.size() ? ", " : " or ") + std::string(words[i]);
  return out;
}

std::string default_text(const Option& option) {
  if (option.key == "cache.local_store") return "~/.cache/kache";
  if (!option.is_used()) return "";
  OptionValue value = option_value(option, Config{});
  std::string text = value_text(option, value);
  if (option.is_list()) return "[]";
  return text.empty() ? "none" : text;
}

const Option* option_named(std::string_view name) {
  if (const Option* exact = find_option(name)) return exact;
  const Option* found = nullptr;
  if (name.empty()) return nullptr;
  for (size_t i = 0; i < all_count(); ++i) {
    const Option& option = option_at(i);
    if (!option.variable.empty() && option.variable == name) return &option;
    if (!option.key.ends_with(name) || !option.key.substr(0, option.key.size() - name.size()).ends_with('.')) continue;
    if (found) return nullptr;  // two of them
    found = &option;
  }
  return found;
}

std::string_view nearest_option(std::string_view name) {
  std::vector<std::string_view> known, last_parts;
  for (size_t i = 0; i < all_count(); ++i) {
    known.push_back(option_at(i).name());
    known.push_back(option_at(i).variable);
    last_parts.push_back(option_at(i).name().substr(option_at(i).name().rfind('.') + 1));
  }
  std::string_view near = nearest_word(name, known);
  if (!near.empty()) return near;
  const Option* option = option_named(nearest_word(name, last_parts));
  return option ? option->name() : std::string_view();
}

std::vector<FileProblem> check_config_text(std::string_view text, const std::string& path, const Env& env) {
  CompiledConfig file = compile_config(text, path);
  std::vector<FileProblem> problems;
  if (!file.problem.empty()) {
    std::string place = path + ":" + std::to_string(file.problem_line) + ":" + std::to_string(file.problem_column) + ": ";
    bool has_place = file.problem.starts_with(place);
    problems.push_back({file.problem_line, file.problem_column, "", has_place ? file.problem.substr(place.size()) : file.problem, ""});
  }
  Config scratch;
  bool is_package = base_name(path) == "kache.toml";
  for (const CompiledSetting& setting : file.settings) {
    std::string message = is_package ? check_extra_inputs(setting) : apply_setting(setting, env, scratch);
    if (message.empty()) continue;
    bool is_unknown = !is_package && !find_option(setting.key);
    problems.push_back({setting.line, setting.column, setting.key, message, std::string(is_unknown ? nearest_key(setting.key) : "")});
  }
  std::sort(problems.begin(), problems.end(), [](const FileProblem& a, const FileProblem& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return problems;
}

}  // namespace kache
