// How builds come to use kache: what names it in the environment, in cargo's configuration, on PATH, in a CMake cache.
#include <algorithm>

#include "base/path.h"
#include "cli/cargo_config.h"
#include "cli/cmake_presets.h"
#include "cli/doctor.h"
#include "compiler/cc_languages.h"
#include "compiler/cc_response.h"
#include "compiler/real_compiler.h"
#include "index/events.h"
#include "store/toolchain.h"

namespace kache {
namespace {

// A use of kache in the last days is a sign that it is set up, wherever the setting is.
constexpr int64_t kLatelyNs = int64_t{7} * 24 * 3600 * 1'000'000'000;

bool names_kache(const std::string& word) { return base_name(word) == "kache"; }

// What a word that names kache leads to; or why not.
struct Target {
  std::string problem, remark;
};
Target follow(const CommandContext& context, const std::string& word) {
  std::string path = find_executable(context.fs, word, context.env, context.cwd);
  Result<FileStat> stat = context.fs.stat(path);
  if (path.empty() || !stat.ok() || !stat->is_executable()) {
    return {word.find('/') == std::string::npos ? word + " is not on PATH" : word + " is not there", {}};
  }
  return {{}, is_this_kache(context, path) ? "" : ", another kache than this one: " + path};
}

struct Setting {
  bool is_set = false;
  std::string value, where;
};

// As cargo looks for it: the variables, the configuration of the directory and of those above it, that of the user.
Setting rustc_wrapper(const CommandContext& context) {
  for (const char* variable : {"RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER"}) {
    if (const char* value = context.env.get(variable)) return {true, value, variable};
  }
  std::vector<std::string> dirs;
  for (std::string dir = context.cwd;; dir = dir_name(dir)) {
    dirs.push_back(join_path(dir, ".cargo"));
    if (dir.size() <= 1) break;
  }
  std::string home(context.env.get_or_empty("CARGO_HOME"));
  dirs.push_back(home.empty() ? join_path(context.env.get_or_empty("HOME"), ".cargo") : home);
  for (const std::string& dir : dirs) {
    for (const char* name : {"/config", "/config.toml"}) {
      Result<std::string> text = read_file(context.fs, dir + name, 16u << 20);
      Result<CargoEdit> edit = text.ok() ? set_rustc_wrapper(*text, context.kache) : Result<CargoEdit>(text.error());
      if (!edit.ok() || (edit->kind != CargoEdit::already_set && edit->old_value.empty())) continue;
      return {true, edit->kind == CargoEdit::already_set ? context.kache : edit->old_value, dir + name};
    }
  }
  return {};
}

void check_compiler_variable(const CommandContext& context, const char* variable, std::vector<Way>& ways, Checklist& list) {
  std::string value(context.env.get_or_empty(variable));
  std::vector<std::string> words = split_quoted(value, Quoting::gnu);
  if (words.empty()) return;
  std::string compiler = std::string(variable) == "CC" ? "cc" : "c++";
  std::string advice = std::string("export ") + variable + "=\"kache " + (names_kache(words[0]) ? compiler : value) + "\"";
  bool names = names_kache(words[0]);
  if (names && (words.size() < 2 || words[1].starts_with('-'))) {
    return list.row(false, variable, value + ": kache needs the compiler's name behind it", advice);
  }
  Target target = follow(context, words[0]);
  if (!target.problem.empty()) {
    return list.row(false, variable, value + ": " + target.problem,
                    names ? "put " + std::string(dir_name(context.kache)) + " on PATH, or name kache by its path" : "");
  }
  std::string path = find_executable(context.fs, words[0], context.env, context.cwd);
  if (!names && !is_this_kache(context, path)) {
    return list.note(variable, value + " does not go through kache", advice);
  }
  if (names) {
    std::string real = find_executable(context.fs, words[1], context.env, context.cwd);
    if (!context.fs.stat(real).ok()) return list.row(false, variable, value + ": there is no " + words[1]);
  }
  ways.push_back({variable, value, true});
  list.row(true, variable, value + (names ? target.remark : ", which is a shim"));
}

void check_launcher(const CommandContext& context, const std::string& name, const std::string& value, const std::string& where,
                    std::vector<Way>& ways, Checklist& list) {
  std::string first = value.substr(0, value.find(';'));
  if (value.empty()) return;
  if (!names_kache(first)) return list.note(name, value + where + " is not kache", "-D" + name + "=kache");
  Target target = follow(context, first);
  bool works = target.problem.empty();
  list.row(works, name, value + where + (works ? target.remark : ": " + target.problem), "name kache by its path: " + context.kache);
  if (works) ways.push_back({where.empty() ? name : "CMakeCache.txt", value, true});
}

constexpr const char* kLaunchers[] = {"CMAKE_C_COMPILER_LAUNCHER", "CMAKE_CXX_COMPILER_LAUNCHER"};

// A build directory remembers what it was configured with; the variables matter to the first run of cmake only.
void check_cmake_cache(const CommandContext& context, std::vector<Way>& ways, Checklist& list) {
  Result<std::string> text = read_file(context.fs, join_path(context.cwd, "CMakeCache.txt"), 16u << 20);
  if (!text.ok()) return;
  for (const std::string name : kLaunchers) {
    size_t at = text->find("\n" + name + ":");
    size_t equals = at == std::string::npos ? at : text->find('=', at);
    if (equals == std::string::npos) continue;
    std::string value = text->substr(equals + 1, text->find('\n', equals) - equals - 1);
    check_launcher(context, name, value, " (CMakeCache.txt)", ways, list);
  }
}

// What init writes into a project; the build directories that it makes have it in their cache.
void check_cmake_preset(const CommandContext& context, std::vector<Way>& ways, Checklist& list) {
  Result<std::string> text = read_file(context.fs, join_path(context.cwd, "CMakeUserPresets.json"), 1u << 20);
  std::string launcher = text.ok() ? preset_launcher(*text) : "";
  if (!names_kache(launcher)) return;
  Target target = follow(context, launcher);
  bool works = target.problem.empty();
  list.row(works, "CMake preset", launcher + " (cmake --preset kache)" + (works ? target.remark : ": " + target.problem), "kache init --undo, and kache init");
  if (works) ways.push_back({"CMakeUserPresets.json", launcher, true});
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

struct ShimDir {
  std::string dir;
  std::vector<std::string> first, late, alone;  // names before the real ones, behind them, and without any
  std::string before;                           // the directory that comes first
};

std::vector<ShimDir> find_shims(const CommandContext& context) {
  std::vector<ShimDir> found;
  for (const char* name : {"cc", "c++", "gcc", "g++", "clang", "clang++"}) {
    std::string real_before;
    std::string rest(context.env.get_or_empty("PATH"));
    bool has_real = !find_behind_shims(context.fs, name, context.env, context.cwd, context.kache).empty();
    while (!rest.empty()) {
      std::string dir = absolute_path(context.cwd, rest.substr(0, rest.find(':')));
      rest.erase(0, rest.find(':') == std::string::npos ? rest.size() : rest.find(':') + 1);
      std::string path = join_path(dir, name);
      Result<FileStat> stat = context.fs.stat(path);
      if (!stat.ok() || !stat->is_executable()) continue;
      if (!is_this_kache(context, path)) {
        if (real_before.empty()) real_before = dir;
        continue;
      }
      auto place = std::find_if(found.begin(), found.end(), [&](const ShimDir& known) { return known.dir == dir; });
      if (place == found.end()) place = found.insert(found.end(), ShimDir{dir, {}, {}, {}, {}});
      if (!real_before.empty()) place->before = real_before;
      (!has_real ? place->alone : real_before.empty() ? place->first : place->late).push_back(name);
      break;
    }
  }
  return found;
}

void check_shims(const CommandContext& context, std::vector<Way>& ways, Checklist& list) {
  for (const ShimDir& shims : find_shims(context)) {
    if (!shims.late.empty()) {
      list.row(false, "Shims", shims.dir + " is on PATH behind " + shims.before + ", where the real " + joined(shims.late) + " are found first",
               "export PATH=" + shims.dir + ":$PATH");
    }
    if (!shims.first.empty()) {
      list.row(true, "Shims", shims.dir + " is first on PATH: " + joined(shims.first));
      ways.push_back({"shims", shims.dir, true});
    }
    if (!shims.alone.empty()) list.note("Shims", "there is no real " + joined(shims.alone) + " on PATH behind " + shims.dir);
  }
}

// "main.c, 2026-08-22", or nothing.
std::string last_cc_unit(const CommandContext& context) {
  Result<std::vector<BuildEvent>> events = read_events(context.fs, context.layout.events(), context.clock.wall_ns() - kLatelyNs);
  if (!events.ok()) return {};
  for (auto event = events->rbegin(); event != events->rend(); ++event) {
    if (!event->trial && !cc_language_of(event->crate_name).empty()) return event->crate_name + ", " + event->ts.substr(0, 10);
  }
  return {};
}

}  // namespace

std::vector<Way> check_rust_ways(const CommandContext& context, bool has_rust, bool has_cc_way, Checklist& list) {
  constexpr const char* kLabel = "RUSTC_WRAPPER";
  constexpr const char* kNext = "to cache Rust: kache init, or export RUSTC_WRAPPER=kache";
  Setting setting = rustc_wrapper(context);
  std::string shown = setting.value + " (" + setting.where + ")";
  if (!has_rust && !names_kache(setting.value)) return list.note(kLabel, "not needed: there is no rustc and no cargo here"), std::vector<Way>{};
  if (!setting.is_set || setting.value.empty()) {
    std::string text = setting.is_set ? setting.where + " is empty, so cargo uses no wrapper" : "not set: cargo does not go through kache";
    // Somebody who builds C has what he needs.
    if (has_cc_way) list.note(kLabel, text, kNext);
    else list.row(false, kLabel, text, kNext);
    return {};
  }
  Way way{setting.where, setting.value, false};
  if (!names_kache(setting.value)) {
    list.row(false, kLabel, shown + " is not kache", kNext);
    return {way};
  }
  Target target = follow(context, setting.value);
  way.works = target.problem.empty();
  list.row(way.works, kLabel, shown + (way.works ? target.remark : ": " + target.problem), "name kache by its path: " + context.kache);
  return {way};
}

std::vector<Way> check_cc_ways(const CommandContext& context, Checklist& list) {
  std::vector<Way> ways;
  for (const char* variable : {"CC", "CXX"}) check_compiler_variable(context, variable, ways, list);
  for (const char* name : kLaunchers) check_launcher(context, name, std::string(context.env.get_or_empty(name)), "", ways, list);
  check_cmake_cache(context, ways, list);
  check_cmake_preset(context, ways, list);
  check_shims(context, ways, list);
  std::string last = last_cc_unit(context);
  if (!last.empty()) ways.push_back({"events", last, true});
  return ways;
}

void sum_up_cc_ways(const std::vector<Way>& ways, bool has_compiler, bool uses_rust, Checklist& list) {
  constexpr const char* kLabel = "C and C++";
  if (ways.size() == 1 && ways[0].name == "events") return list.row(true, kLabel, "went through kache lately (" + ways[0].value + ")");
  if (!ways.empty()) {
    std::vector<std::string> names;
    for (const Way& way : ways) {
      if (way.name != "events" && std::find(names.begin(), names.end(), way.name) == names.end()) names.push_back(way.name);
    }
    return list.row(true, kLabel, "through kache by " + joined(names));
  }
  constexpr const char* kNext =
      "to cache C and C++: kache init says how in this directory; elsewhere CC=\"kache cc\" CXX=\"kache c++\", or cmake "
      "-DCMAKE_C_COMPILER_LAUNCHER=kache -DCMAKE_CXX_COMPILER_LAUNCHER=kache, or kache install-shims DIR";
  std::string text = "nothing here sends them through kache";
  if (uses_rust || !has_compiler) list.note(kLabel, text, has_compiler ? kNext : "");
  else list.row(false, kLabel, text, kNext);
}

}  // namespace kache
