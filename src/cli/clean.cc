// `kache clean`: build directories are found and looked at, chosen (all of them, or on a screen), and removed.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include <nlohmann/json.hpp>

#include "base/path.h"
#include "clean/remove.h"
#include "clean/scan.h"
#include "cli/command.h"
#include "index/events.h"
#include "tui/clean_screen.h"
#include "tui/terminal.h"
#include "tui/words.h"

namespace kache {
namespace {

using json = nlohmann::ordered_json;

struct Removed {
  Status status = Ok{};
  bool was_tried = false;
};

// Upstream's words where it is all cargo's.
std::string noun(const std::vector<BuildDir>& dirs, const char* ending) {
  bool is_all_cargo = std::all_of(dirs.begin(), dirs.end(), [](const BuildDir& dir) { return dir.kind == BuildKind::cargo || !dir.is_removable(); });
  return std::string(is_all_cargo ? "target/" : "build") + " " + ending;
}

std::string kept_note(const Estimate& sum) {
  return sum.kept() > 0 ? " (" + human_size(sum.kept()) + " of apparent size is shared, sparse, or duplicate)" : "";
}

std::string labels_of(const BuildDir& dir) {
  std::string text;
  for (const std::string& label : dir.labels) text += (text.empty() ? "" : ", ") + label;
  return text.empty() ? "" : "  [" + printable(text) + "]";
}

// A line for each; those that stay come last.
void print_found(const std::vector<BuildDir>& dirs, const std::vector<bool>& chosen, const std::string& cwd) {
  Estimate sum = estimate(dirs, chosen);
  std::printf("Found %llu %s (%s total, %s cached)\n\n", static_cast<unsigned long long>(sum.count), noun(dirs, "directories").c_str(),
              human_size(sum.total).c_str(), human_size(sum.cached).c_str());
  std::vector<std::string> paths;
  size_t width = 0;
  for (const BuildDir& dir : dirs) {
    paths.push_back(printable(shown_path(dir.path, cwd)));
    width = std::max(width, paths.back().size());
  }
  for (size_t i = 0; i < dirs.size(); ++i) {
    if (!dirs[i].is_removable()) continue;
    std::printf("  %s  %10s  cached: %s%s\n", padded(paths[i], width).c_str(), human_size(dirs[i].total).c_str(),
                human_size(dirs[i].cached).c_str(), labels_of(dirs[i]).c_str());
  }
  for (size_t i = 0; i < dirs.size(); ++i) {
    if (!dirs[i].is_removable()) std::printf("  %s  stays: %s\n", padded(paths[i], width).c_str(), printable(dirs[i].obstacle).c_str());
  }
}

std::vector<Removed> remove_chosen(const std::vector<BuildDir>& dirs, const std::vector<bool>& chosen, const std::string& cwd, bool is_quiet) {
  std::vector<Removed> removed(dirs.size());
  for (size_t i = 0; i < dirs.size(); ++i) {
    if (!chosen[i]) continue;
    removed[i] = {remove_build_dir(dirs[i]), true};
    if (is_quiet) continue;
    std::string path = printable(shown_path(dirs[i].path, cwd));
    if (removed[i].status.ok()) std::printf("  removed %s\n", path.c_str());
    else std::printf("  failed  %s - %s\n", path.c_str(), printable(removed[i].status.error().message).c_str());
    std::fflush(stdout);
  }
  return removed;
}

json json_of(const BuildDir& dir, const Removed& removed) {
  json row = {{"path", dir.path}, {"kind", kind_name(dir.kind)}, {"removable", dir.is_removable()}};
  if (!dir.is_removable()) row["reason"] = dir.obstacle;
  row.update({{"size_bytes", dir.total}, {"cached_bytes", dir.cached}, {"reclaimable_bytes", dir.frees}, {"labels", dir.labels}});
  if (dir.newest_ns > 0) row["modified"] = format_time(dir.newest_ns);
  json parts = json::object();
  for (size_t i = 0; i < kParts; ++i) parts[part_name(static_cast<Part>(i))] = dir.parts[i];
  row["parts"] = parts;
  if (removed.was_tried) row["removed"] = removed.status.ok();
  if (removed.was_tried && !removed.status.ok()) row["error"] = removed.status.error().message;
  return row;
}

void print_json(const std::vector<BuildDir>& dirs, const std::vector<bool>& chosen, const std::vector<Removed>& removed, bool is_dry) {
  std::vector<bool> counted_ones = chosen;
  json rows = json::array();
  uint64_t failed = 0;
  for (size_t i = 0; i < dirs.size(); ++i) {
    rows.push_back(json_of(dirs[i], removed[i]));
    bool has_failed = removed[i].was_tried && !removed[i].status.ok();
    failed += has_failed;
    if (has_failed) counted_ones[i] = false;
  }
  Estimate sum = estimate(dirs, counted_ones);
  json out = {{"schema_version", 1}, {"command", "clean"}, {"dry_run", is_dry}, {"directories", rows},
              {is_dry ? "would_remove" : "removed", sum.count}, {"failed", failed}, {"size_bytes", sum.total},
              {"cached_bytes", sum.cached}, {"reclaimable_bytes", sum.frees}};
  std::puts(out.dump(2, ' ', false, json::error_handler_t::replace).c_str());
}

// The status to end with, unless something was chosen.
std::optional<int> choose_on_screen(const CommandContext& context, std::vector<BuildDir>& dirs, std::vector<bool>& chosen) {
  CleanScreen screen(dirs, context.cwd, context.clock.wall_ns());
  CleanAnswer answer = CleanAnswer::none;
  int signal = 0;
  {
    Result<Terminal> terminal = Terminal::open(context.env);
    if (!terminal.ok()) return fail(terminal.error().message + ", or use --dry-run or --yes"), 2;
    while (answer == CleanAnswer::none) {
      terminal->show(draw(screen, terminal->width(), terminal->height()));
      answer = press(screen, terminal->read_key(60'000), terminal->height());
    }
    signal = terminal->ended_by_signal();
  }
  if (answer == CleanAnswer::cancel) return std::puts("Cancelled."), signal;
  dirs = screen.dirs;
  chosen = screen.chosen;
  return std::nullopt;
}

// What was written to within the span is in use.
void drop_fresh(std::vector<BuildDir>& dirs, int64_t before_ns) {
  std::erase_if(dirs, [&](const BuildDir& dir) { return dir.is_removable() && dir.newest_ns > before_ns; });
}

void warn_of_unreadable(const std::vector<std::string>& unreadable) {
  constexpr size_t kMost = 3;
  for (size_t i = 0; i < std::min(unreadable.size(), kMost); ++i) {
    std::fprintf(stderr, "kache: warning: not looked through: %s\n", printable(unreadable[i]).c_str());
  }
  if (unreadable.size() > kMost) std::fprintf(stderr, "kache: warning: nor %zu others\n", unreadable.size() - kMost);
}

}  // namespace

int run_clean(const CommandContext& context, const CleanOptions& options) {
  int64_t stale_ns = 0;
  if (!options.stale.empty()) {
    Result<int64_t> span = parse_duration(options.stale);
    if (!span.ok()) return fail("--stale " + span.error().message), 2;
    stale_ns = *span;
  }
  bool is_dry = options.dry_run, has_answer = is_dry || options.yes;
  // Before a long look around.
  if (!has_answer && (options.json || !has_screen(context.env))) {
    return fail("clean: nothing was removed, for there is nobody to ask; use --yes, or --dry-run to see what would go"), 2;
  }
  ScanRequest request;
  for (const std::string& dir : options.dirs) request.roots.push_back(absolute_path(context.cwd, dir));
  if (request.roots.empty()) request.roots.push_back(context.cwd);
  request.store = context.config.cache_dir;
  if (!has_answer) std::fputs("Looking for build directories...\r", stderr);
  Result<ScanResult> found = find_build_dirs(request);
  if (!has_answer) std::fputs("\x1b[K", stderr);
  if (!found.ok()) return fail("clean: " + found.error().message), 2;
  warn_of_unreadable(found->unreadable);

  std::vector<BuildDir>& dirs = found->dirs;
  size_t before = dirs.size();
  if (!options.stale.empty()) drop_fresh(dirs, context.clock.wall_ns() - stale_ns);
  std::vector<bool> chosen;
  for (const BuildDir& dir : dirs) chosen.push_back(dir.is_removable());
  if (dirs.empty() && !options.json) {
    if (before > 0) std::printf("All %s were written to in the last %s.\n", counted(before, "build directory", "build directories").c_str(), options.stale.c_str());
    else std::puts("No target/ directories found, and none of CMake or Meson.");
    return 0;
  }
  if (!has_answer) {
    std::optional<int> status = choose_on_screen(context, dirs, chosen);
    if (status) return *status;
  }
  std::vector<Removed> removed(dirs.size());
  if (is_dry && !options.json) {
    print_found(dirs, chosen, context.cwd);
    Estimate sum = estimate(dirs, chosen);
    std::printf("\nDry run: estimated to free %s%s\n", human_size(sum.frees).c_str(), kept_note(sum).c_str());
    return 0;
  }
  if (!is_dry) removed = remove_chosen(dirs, chosen, context.cwd, options.json);
  if (options.json) print_json(dirs, chosen, removed, is_dry);
  bool has_failed = false;
  for (size_t i = 0; i < dirs.size(); ++i) {
    if (!removed[i].was_tried || removed[i].status.ok()) continue;
    has_failed = true;
    chosen[i] = false;
  }
  if (!options.json) {
    Estimate sum = estimate(dirs, chosen);
    std::printf("\nRemoved %llu %s; estimated reclaimed %s%s\n", static_cast<unsigned long long>(sum.count), noun(dirs, "dirs").c_str(),
                human_size(sum.frees).c_str(), kept_note(sum).c_str());
  }
  return has_failed ? 1 : 0;
}

}  // namespace kache
