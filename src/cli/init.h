// The parts of `kache init`: what it changes is planned first, then shown, asked for and done. An undo is planned and done the
// same way.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/config_edit.h"

namespace kache {

// One file to change.
struct InitStep {
  std::string kind;              // "cargo", "cmake"
  std::string action;            // "already-set", "create", "add", "replace"; of an undo "restore", "remove", "remove-file"
  std::string setting, value;    // "build.rustc-wrapper", "/usr/bin/kache"
  std::string old_value;         // of "replace", and of an undo that puts one back
  std::string summary, remark;   // lines about it
  FileText old;
  std::string text;              // as the file is to be
  std::vector<std::string> spent_backups;  // of an undo: they go with it
  std::function<Status()> check;  // asked when it is done; what it says no to is taken back
  std::string wrong;             // why it can not be done; then nothing of the above but the file is known
  // Afterwards:
  bool was_written = false;
  std::string backup;

  bool changes() const { return wrong.empty() && action != "already-set"; }
};

InitStep plan_cargo(const CommandContext& context);
InitStep plan_cmake(const CommandContext& context);
// None where there is nothing of init's.
std::optional<InitStep> plan_cargo_undo(const CommandContext& context);
std::optional<InitStep> plan_cmake_undo(const CommandContext& context);

// Does it. Afterwards the file is as planned, or as it was.
Status carry_out(const CommandContext& context, InitStep& step);

// How to take back what init made of a file.
struct Undoing {
  std::function<bool(const std::string& text)> has_ours;
  // What init makes of a file, with the values that it wrote into `after`.
  std::function<Result<std::string>(const std::string& before, const std::string& after)> redo;
  // What is left without our setting; `newest` is the newest of the files that init kept, "" where there is none.
  std::function<Result<std::string>(const std::string& text, const std::string& newest)> remove;
};
// Fills in action, text and spent_backups. A file in which nothing has changed since init comes back as it was.
Status plan_undo(const CommandContext& context, const Undoing& undoing, InitStep& step);

// What to type from now on.
struct NextLine {
  std::vector<std::string> argv;
  std::string why;
};

// Which build systems the working directory is for: "cargo", "cmake", "meson", "configure", "make".
std::vector<std::string> build_systems(const CommandContext& context);
std::vector<NextLine> next_lines(const CommandContext& context, const std::vector<std::string>& systems);
// As a shell reads it.
std::string shell_line(const std::vector<std::string>& argv);

// "kache" where PATH leads to this program, else its path.
std::string word_for_kache(const CommandContext& context);
// The word of a setting leads to this program.
bool leads_to_this(const CommandContext& context, const std::string& word);

}  // namespace kache
