// Doing what init has planned, and finding out how a file was before.
#include <algorithm>

#include "base/path.h"
#include "cli/init.h"

namespace kache {
namespace {

struct Backup {
  std::string path, text;
};

// Newest first.
std::vector<Backup> backups_of(const CommandContext& context, const std::string& path) {
  std::string prefix = std::string(base_name(path)) + ".kache-backup.", dir(dir_name(path));
  std::vector<Backup> found;
  Result<std::vector<DirEntry>> files = context.fs.list(dir);
  if (!files.ok()) return found;
  for (const DirEntry& file : *files) {
    if (!file.name.starts_with(prefix)) continue;
    Result<std::string> text = read_file(context.fs, join_path(dir, file.name), 16u << 20);
    if (text.ok()) found.push_back({join_path(dir, file.name), *text});
  }
  std::sort(found.begin(), found.end(), [](const Backup& a, const Backup& b) { return a.path > b.path; });
  return found;
}

// What somebody wrote meanwhile is not overwritten, and not removed.
Status take_back(const CommandContext& context, InitStep& step) {
  std::string now = KACHE_TRY(read_file(context.fs, step.old.path, 16u << 20));
  if (now != step.old.text) return Error{ErrorCode::invalid, 0, step.old.path + ": was changed meanwhile; nothing was written"};
  if (step.action == "remove-file") {
    KACHE_TRY(context.fs.unlink(step.old.path));
  } else {
    FileStat stat = KACHE_TRY(context.fs.stat(step.old.path));
    KACHE_TRY(replace_file(context.fs, step.old.path, step.text, stat.mode & 0777));
  }
  for (const std::string& backup : step.spent_backups) (void)context.fs.unlink(backup);
  return Ok{};
}

// After a change that turned out to be none.
void put_back(const CommandContext& context, InitStep& step) {
  if (!step.old.exists) return (void)context.fs.unlink(step.old.path);
  Result<FileStat> stat = context.fs.stat(step.old.path);
  if (!stat.ok() || !replace_file(context.fs, step.old.path, step.old.text, stat->mode & 0777).ok()) return;
  (void)context.fs.unlink(step.backup);
  step.backup.clear();
}

}  // namespace

Status plan_undo(const CommandContext& context, const Undoing& undoing, InitStep& step) {
  std::vector<Backup> backups = backups_of(context, step.old.path);
  auto makes = [&](const std::string& before, const std::string& after) {
    Result<std::string> again = undoing.redo(before, after);
    return again.ok() && *again == after;
  };
  step.text = step.old.text;
  step.action = "restore";
  // Once for each time that init has changed it, as it does for a kache that moved. A backup is older than what was made of it.
  for (const Backup& backup : backups) {
    if (!undoing.has_ours(step.text)) break;
    if (!makes(backup.text, step.text)) continue;
    step.text = backup.text;
    step.spent_backups.push_back(backup.path);
  }
  if (!undoing.has_ours(step.text)) return Ok{};
  if (makes("", step.text)) {
    step.action = "remove-file";
    return Ok{};
  }
  step.action = "remove";
  step.spent_backups.clear();
  step.text = KACHE_TRY(undoing.remove(step.old.text, backups.empty() ? "" : backups.front().text));
  return Ok{};
}

Status carry_out(const CommandContext& context, InitStep& step) {
  bool is_exact = step.action == "remove-file" || step.action == "restore";
  Status done = is_exact ? take_back(context, step) : write_edited(context, step.old, step.text, &step.backup);
  if (done.ok() && step.check) {
    done = step.check();
    if (!done.ok()) put_back(context, step);
  }
  step.was_written = done.ok();
  return done;
}

}  // namespace kache
