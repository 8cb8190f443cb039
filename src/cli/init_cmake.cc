// init's part for CMake: a preset in the project's CMakeUserPresets.json.
#include <algorithm>

#include "base/path.h"
#include "cli/cmake_presets.h"
#include "cli/init.h"
#include "store/toolchain.h"
#include "wrapper/process.h"

namespace kache {
namespace {

// The presets that cmake would offer here, in its own words; none where there is no cmake.
Result<std::vector<std::string>> list_presets(const CommandContext& context, const char* kind) {
  std::vector<std::string> names;
  std::string cmake = find_executable(context.fs, "cmake", context.env, context.cwd);
  if (!context.fs.stat(cmake).ok()) return names;
  Result<ProcessResult> run = system_processes().run_quietly({cmake, std::string("--list-presets=") + kind}, context.env);
  if (!run.ok()) return std::move(run).error();
  if (!run->succeeded()) {
    std::string said = run->standard_error;
    std::replace(said.begin(), said.end(), '\n', ' ');
    while (said.ends_with(' ')) said.pop_back();
    return Error{ErrorCode::invalid, 0, "cmake can not read the presets: " + printable(said)};
  }
  const std::string& text = run->standard_output;
  for (size_t at = 0; at < text.size();) {  // '  "name"      - Display name'
    size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with("  \"")) continue;
    size_t close = std::min(line.find("\" "), line.rfind('"'));
    if (close > 3) names.push_back(line.substr(3, close - 3));
  }
  return names;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool has_presets(const CommandContext& context) {
  for (const char* name : {"CMakePresets.json", "CMakeUserPresets.json"}) {
    if (context.fs.stat(join_path(context.cwd, name)).ok()) return true;
  }
  return false;
}

InitStep look(const CommandContext& context) {
  InitStep step;
  step.kind = "cmake";
  step.setting = std::string("preset ") + kPresetName;
  Result<FileText> file = read_to_edit(context, join_path(context.cwd, "CMakeUserPresets.json"));
  if (file.ok()) step.old = std::move(*file);
  else step.wrong = file.error().message;
  return step;
}

Status plan(const CommandContext& context, InitStep& step) {
  step.value = word_for_kache(context);
  std::string launcher = preset_launcher(step.old.text);
  if (!launcher.empty() && leads_to_this(context, launcher)) {
    step.value = launcher;
    step.action = "already-set";
    step.summary = step.old.path + " already has the preset \"" + kPresetName + "\".";
    return Ok{};
  }
  std::vector<std::string> configure, build;
  if (has_presets(context)) {
    configure = KACHE_TRY(list_presets(context, "configure"));
    build = KACHE_TRY(list_presets(context, "build"));
  }
  if (has(configure, kPresetName)) {
    return Error{ErrorCode::invalid, 0,
                 "the project has a preset \"" + std::string(kPresetName) +
                     "\" that does not use this kache; give it "
                     "CMAKE_C_COMPILER_LAUNCHER and CMAKE_CXX_COMPILER_LAUNCHER by hand"};
  }
  PresetChoice choice{step.value, "", "", !has(build, kPresetName)};
  if (!configure.empty()) choice.inherits = configure.front();
  bool has_ninja = context.fs.stat(find_executable(context.fs, "ninja", context.env, context.cwd)).ok();
  choice.generator = has_ninja ? "Ninja" : "Unix Makefiles";
  step.text = KACHE_TRY(add_preset(step.old.text, choice));
  step.action = step.old.exists ? "add" : "create";
  step.summary = step.old.path + ": add the preset \"" + kPresetName + "\", with " + step.value + " as compiler launcher";
  if (!choice.inherits.empty())
    step.remark = "it inherits \"" + printable(choice.inherits) + "\"; for another one change \"inherits\" there";
  return Ok{};
}

}  // namespace

InitStep plan_cmake(const CommandContext& context) {
  InitStep step = look(context);
  if (!step.wrong.empty()) return step;
  Status planned = plan(context, step);
  step.check = [&context]() -> Status {
    KACHE_TRY(list_presets(context, "configure"));
    return Ok{};
  };
  if (!planned.ok()) step.wrong = step.old.path + ": " + planned.error().message;
  return step;
}

std::optional<InitStep> plan_cmake_undo(const CommandContext& context) {
  InitStep step = look(context);
  if (!step.wrong.empty()) return step;
  std::optional<PresetChoice> choice = find_preset(step.old.text);
  if (!choice) return std::nullopt;
  step.value = choice->launcher;
  Undoing undoing;
  undoing.has_ours = [](const std::string& text) { return find_preset(text).has_value(); };
  undoing.redo = [&](const std::string& before, const std::string&) { return add_preset(before, *choice); };
  undoing.remove = [](const std::string& text, const std::string&) { return remove_preset(text); };
  Status planned = plan_undo(context, undoing, step);
  if (!planned.ok()) step.wrong = step.old.path + ": " + planned.error().message;
  if (step.action == "restore") step.summary = step.old.path + ": put back as it was before init";
  else if (step.action == "remove-file") step.summary = step.old.path + ": remove, as init made it";
  else step.summary = step.old.path + ": take out the preset \"" + kPresetName + "\"";
  std::string build_dir = join_path(context.cwd, std::string("build/") + kPresetName);
  if (context.fs.stat(build_dir + "/CMakeCache.txt").ok())
    step.remark = build_dir + " stays, and still compiles through kache; remove it";
  return step;
}

}  // namespace kache
