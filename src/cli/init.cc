// `kache init`: finds out what is built here, plans a change to each file that decides how, asks, and does it.
#include "cli/init.h"

#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "base/path.h"
#include "cli/cmake_presets.h"
#include "cli/doctor.h"
#include "cli/json.h"
#include "store/toolchain.h"

namespace kache {
namespace {

using json = nlohmann::ordered_json;

// A directory is for the build system whose file lies in it.
struct MarkerRow {
  const char* file;
  const char* system;
};
constexpr MarkerRow kMarkers[] = {
    {"Cargo.toml", "cargo"},    {"CMakeLists.txt", "cmake"},   {"meson.build", "meson"},
    {"configure", "configure"}, {"configure.ac", "configure"}, {"configure.in", "configure"},
    {"GNUmakefile", "make"},    {"makefile", "make"},          {"Makefile", "make"},
};

bool has(const std::vector<std::string>& words, const char* word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}
bool is_here(const CommandContext& context, const char* file) { return context.fs.stat(join_path(context.cwd, file)).ok(); }

bool has_cargo(const CommandContext& context) {
  std::string home(context.env.get_or_empty("CARGO_HOME"));
  if (home.empty()) home = join_path(context.env.get_or_empty("HOME"), ".cargo");
  return context.fs.stat(home).ok() || context.fs.stat(find_executable(context.fs, "cargo", context.env, context.cwd)).ok();
}

// What is for cargo concerns who has cargo; and whoever is nowhere in particular.
std::vector<InitStep> plan(const CommandContext& context, const InitOptions& options, const std::vector<std::string>& systems) {
  bool all = options.cargo == options.cc;
  std::vector<InitStep> steps;
  auto add = [&](std::optional<InitStep> step) {
    if (step) steps.push_back(std::move(*step));
  };
  if (options.undo) {
    if (all || options.cargo) add(plan_cargo_undo(context));
    if (all || options.cc) add(plan_cmake_undo(context));
    return steps;
  }
  bool wants_cargo = has(systems, "cargo") || systems.empty() || has_cargo(context);
  if (options.cargo || (!options.cc && wants_cargo)) add(plan_cargo(context));
  if ((all || options.cc) && has(systems, "cmake")) add(plan_cmake(context));
  return steps;
}

json json_of(const InitStep& step) {
  json row = {{"kind", step.kind}, {"file", step.old.path}};
  if (!step.wrong.empty()) {
    row["error"] = step.wrong;
    return row;
  }
  row.update({{"action", step.action}, {"setting", step.setting}, {"value", step.value}});
  if (!step.old_value.empty()) row["old_value"] = step.old_value;
  row["written"] = step.was_written;
  if (!step.backup.empty()) row["backup"] = step.backup;
  return row;
}

void print_json(const InitOptions& options, const std::vector<std::string>& systems, const std::vector<InitStep>& steps,
                const std::vector<NextLine>& next) {
  json out = {{"schema_version", 1},  {"command", "init"}, {"check", options.check},
              {"undo", options.undo}, {"found", systems},  {"steps", json::array()}};
  for (const InitStep& step : steps) out["steps"].push_back(json_of(step));
  out["next"] = json::array();
  for (const NextLine& line : next)
    out["next"].push_back({{"argv", line.argv}, {"line", shell_line(line.argv)}, {"why", line.why}});
  std::puts(to_text(out).c_str());
}

void print_next(const std::vector<NextLine>& next) {
  size_t width = 0;
  for (const NextLine& line : next) width = std::max(width, std::min<size_t>(shell_line(line.argv).size(), 60));
  if (!next.empty()) std::puts("\nNext:");
  for (const NextLine& line : next) std::printf("  %s  # %s\n", padded(shell_line(line.argv), width).c_str(), line.why.c_str());
}

// Those of the build systems that were asked for, and set up where that needs a file.
std::vector<std::string> usable(const InitOptions& options, std::vector<std::string> systems, const std::vector<InitStep>& steps) {
  bool has_preset = std::any_of(steps.begin(), steps.end(), [&](const InitStep& step) {
    return step.kind == "cmake" && step.wrong.empty() && (step.was_written || options.check || !step.changes());
  });
  std::erase_if(systems, [&](const std::string& system) {
    bool is_asked_for = options.cargo == options.cc || options.cargo == (system == "cargo");
    return !is_asked_for || (system == "cmake" && !has_preset);
  });
  return systems;
}

// Shows it, asks, does it. False when the answer was no.
bool offer(const CommandContext& context, const InitOptions& options, InitStep& step) {
  if (!options.json) {
    std::puts(printable(step.summary).c_str());
    if (!step.remark.empty()) std::printf("  %s\n", printable(step.remark).c_str());
  }
  if (options.check || !step.changes()) return true;
  if (!options.yes && !ask("Change it?", true)) return false;
  Status done = carry_out(context, step);
  if (!done.ok()) step.wrong = done.error().message;
  if (done.ok() && !options.json && !step.backup.empty()) std::printf("  the old file is %s\n", printable(step.backup).c_str());
  return true;
}

void conclude(const InitOptions& options, const std::vector<InitStep>& steps, const std::vector<NextLine>& next) {
  bool has_changes = std::any_of(steps.begin(), steps.end(), [](const InitStep& step) { return step.changes(); });
  bool was_written = std::any_of(steps.begin(), steps.end(), [](const InitStep& step) { return step.was_written; });
  bool has_cargo_now = std::any_of(steps.begin(), steps.end(),
                                   [](const InitStep& step) { return step.kind == "cargo" && step.was_written; });
  if (options.undo && steps.empty())
    std::puts("Nothing to undo: nothing that init wrote is in cargo's configuration or in this directory.");
  else if (options.check && has_changes) std::puts("Nothing was changed; run again without --check to apply.");
  else if (options.undo && was_written) std::puts("Done. What init wrote is taken back.");
  else if (has_cargo_now) std::puts("Done. cargo build now goes through kache.");
  else if (was_written) std::puts("Done.");
  else if (!options.undo && steps.empty())
    std::puts("No file has to be changed here; it is enough to name kache in front of the compiler.");
  if (!options.undo) print_next(next);
}

}  // namespace

bool leads_to_this(const CommandContext& context, const std::string& word) {
  return is_this_kache(context, find_executable(context.fs, word, context.env, context.cwd));
}

std::string word_for_kache(const CommandContext& context) { return leads_to_this(context, "kache") ? "kache" : context.kache; }

std::vector<std::string> build_systems(const CommandContext& context) {
  std::vector<std::string> systems;
  for (const MarkerRow& row : kMarkers) {
    if (is_here(context, row.file) && !has(systems, row.system)) systems.push_back(row.system);
  }
  // A Makefile that another one has made is not for typing lines at.
  bool is_made = has(systems, "configure") || is_here(context, "CMakeCache.txt");
  if (is_made) std::erase(systems, "make");
  return systems;
}

std::vector<NextLine> next_lines(const CommandContext& context, const std::vector<std::string>& systems) {
  std::string kache = word_for_kache(context);
  std::string cc = "CC=" + kache + " cc", cxx = "CXX=" + kache + " c++", ar = "AR=" + kache + " ar";
  std::vector<NextLine> lines;
  if (has(systems, "cargo")) lines.push_back({{"cargo", "build"}, "as ever"});
  if (has(systems, "cmake")) {
    lines.push_back({{"cmake", "--preset", kPresetName}, "configures build/kache, with kache in front of the compilers"});
    lines.push_back({{"cmake", "--build", "--preset", kPresetName}, "builds there"});
  }
  if (has(systems, "meson")) {
    lines.push_back({{"env", cc, cxx, "meson", "setup", "build"}, "Meson remembers the compilers of a build directory"});
    lines.push_back({{"meson", "compile", "-C", "build"}, "builds there"});
  }
  if (has(systems, "configure")) {
    if (!is_here(context, "configure")) lines.push_back({{"autoreconf", "-i"}, "makes ./configure"});
    lines.push_back({{"./configure", cc, cxx, ar}, "configure remembers the compilers"});
    lines.push_back({{"make"}, "as ever"});
  }
  if (has(systems, "make")) lines.push_back({{"make", cc, cxx, ar}, "these win over what the Makefile says"});
  lines.push_back({{kache, "doctor"}, "whether all is well"});
  return lines;
}

std::string shell_line(const std::vector<std::string>& argv) {
  std::string line;
  for (const std::string& word : argv) {
    line += line.empty() ? "" : " ";
    size_t equals = word.find('=');
    bool is_plain =
        word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%") ==
        std::string::npos;
    if (is_plain) {
      line += word;
      continue;
    }
    size_t start = equals == std::string::npos ? 0 : equals + 1;
    line += word.substr(0, start) + '"';
    for (char c : word.substr(start)) {
      if (c == '"' || c == '\\' || c == '$' || c == '`') line += '\\';
      line += c;
    }
    line += '"';
  }
  return line;
}

int run_init(const CommandContext& context, const InitOptions& options) {
  if (options.json && !options.check && !options.yes)
    return fail("init --json asks nothing; add --yes, or --check to only look"), 2;
  std::vector<std::string> systems = build_systems(context);
  std::vector<InitStep> steps = plan(context, options, systems);
  bool was_refused = false, has_failed = false;
  for (InitStep& step : steps) {
    if (step.wrong.empty()) was_refused |= !offer(context, options, step);
    if (step.wrong.empty()) continue;
    has_failed = true;
    if (!options.json) fail(printable(step.wrong));
  }
  bool was_written = std::any_of(steps.begin(), steps.end(), [](const InitStep& step) { return step.was_written; });
  if (was_refused && !was_written) return fail("nothing was changed; answer y, or use --yes");
  std::vector<NextLine> next = options.undo ? std::vector<NextLine>() : next_lines(context, usable(options, systems, steps));
  if (options.json) print_json(options, systems, steps, next);
  else if (!has_failed || was_written) conclude(options, steps, next);
  return has_failed ? 1 : 0;
}

}  // namespace kache
