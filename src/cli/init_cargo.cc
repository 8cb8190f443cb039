// init's part for Rust: build.rustc-wrapper in the user's configuration of cargo.
#include "base/path.h"
#include "cli/cargo_config.h"
#include "cli/init.h"

namespace kache {
namespace {

std::string setting_line(const std::string& value) { return "rustc-wrapper = " + toml_string(value); }

// The file, as it is.
InitStep look(const CommandContext& context) {
  InitStep step;
  step.kind = "cargo";
  step.setting = "build.rustc-wrapper";
  std::string home(context.env.get_or_empty("CARGO_HOME"));
  if (home.empty()) home = join_path(context.env.get_or_empty("HOME"), ".cargo");
  if (!is_absolute(home)) {
    step.wrong = "neither CARGO_HOME nor HOME is set; set one of them";
    return step;
  }
  std::string path = home + "/config.toml";
  // Cargo reads the old name too, and only one of them.
  if (!context.fs.stat(path).ok() && context.fs.stat(home + "/config").ok()) path = home + "/config";
  Result<FileText> file = read_to_edit(context, path);
  if (file.ok()) step.old = std::move(*file);
  else step.wrong = file.error().message;
  return step;
}

// init always writes a path.
bool is_written_by_init(const CommandContext& context, const std::string& value) {
  return value == context.kache || (is_absolute(value) && base_name(value) == "kache");
}

// The table too, where init appended it and nothing else came into it.
Result<std::string> without_setting(const std::string& text, const std::string& value) {
  std::string rest = KACHE_TRY(edit_toml(text, {"build", "rustc-wrapper"}, std::nullopt));
  size_t settings = 0;
  for (const TomlEntry& entry : scan_toml(text).entries) settings += !entry.path.empty() && entry.path[0] == "build";
  for (const std::string line_end : {"\n", "\r\n"}) {
    std::string table = "[build]" + line_end + setting_line(value) + line_end;
    size_t at = text.find(table);
    if (settings != 1 || at == std::string::npos) continue;
    size_t end = at + table.size();
    if (text.substr(0, at).ends_with(line_end + line_end)) at -= line_end.size();
    return text.substr(0, at) + text.substr(end);
  }
  return rest;
}

}  // namespace

InitStep plan_cargo(const CommandContext& context) {
  InitStep step = look(context);
  if (!step.wrong.empty()) return step;
  Result<CargoEdit> edit = set_rustc_wrapper(step.old.text, context.kache);
  if (!edit.ok()) {
    step.wrong = step.old.path + ": " + edit.error().message;
    return step;
  }
  step.value = context.kache;
  step.old_value = edit->old_value;
  if (edit->kind == CargoEdit::replace && leads_to_this(context, edit->old_value)) edit->kind = CargoEdit::already_set, step.value = edit->old_value;
  static constexpr const char* kActions[] = {"already-set", "create", "replace", "add"};
  step.action = kActions[edit->kind];
  step.text = edit->text;
  step.summary = step.old.path + (step.changes() ? ": set " + setting_line(step.value) : " already uses " + step.value + ".");
  if (step.action == "replace") step.remark = "instead of \"" + step.old_value + "\"";
  for (const char* variable : {"RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER"}) {
    const char* value = context.env.get(variable);
    if (!value || leads_to_this(context, value)) continue;
    step.remark += (step.remark.empty() ? "" : "; ") + std::string("but ") + variable + "=" + value + " in the environment wins over it";
  }
  return step;
}

std::optional<InitStep> plan_cargo_undo(const CommandContext& context) {
  InitStep step = look(context);
  if (!step.wrong.empty()) return step;
  Result<std::string> value = rustc_wrapper_of(step.old.text);
  if (!value.ok()) {
    step.wrong = step.old.path + ": " + value.error().message;
    return step;
  }
  if (!is_written_by_init(context, *value)) return std::nullopt;
  step.value = *value;
  Undoing undoing;
  undoing.has_ours = [&](const std::string& text) {
    Result<std::string> now = rustc_wrapper_of(text);
    return now.ok() && is_written_by_init(context, *now);
  };
  undoing.redo = [](const std::string& before, const std::string& after) -> Result<std::string> {
    std::string written = KACHE_TRY(rustc_wrapper_of(after));
    CargoEdit edit = KACHE_TRY(set_rustc_wrapper(before, written));
    return edit.text;
  };
  undoing.remove = [&](const std::string& text, const std::string& newest) -> Result<std::string> {
    Result<std::string> old = rustc_wrapper_of(newest);
    if (!old.ok() || old->empty() || is_written_by_init(context, *old)) return without_setting(text, step.value);
    step.old_value = *old;
    return edit_toml(text, {"build", "rustc-wrapper"}, toml_string(*old));
  };
  Status planned = plan_undo(context, undoing, step);
  if (!planned.ok()) step.wrong = step.old.path + ": " + planned.error().message;
  if (step.action == "restore") {
    Result<std::string> old = rustc_wrapper_of(step.text);
    if (old.ok()) step.old_value = *old;
  }
  if (step.action == "restore") step.summary = step.old.path + ": put back as it was before init";
  else if (step.action == "remove-file") step.summary = step.old.path + ": remove, as init made it";
  else if (!step.old_value.empty()) step.summary = step.old.path + ": set " + setting_line(step.old_value) + " again";
  else step.summary = step.old.path + ": take out " + setting_line(step.value);
  return step;
}

}  // namespace kache
