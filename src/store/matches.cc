#include "store/matches.h"

#include <algorithm>

#include "base/glob.h"
#include "base/path.h"

namespace kache {
namespace {

constexpr size_t kMostFiles = 100'000;  // a pattern that runs away must not read the whole disk

bool is_dir(FileSystem& fs, const std::string& path, const DirEntry& entry) {
  if (entry.type != DirEntry::unknown) return entry.type == DirEntry::dir;
  Result<FileStat> stat = fs.lstat(path);
  return stat.ok() && stat->is_dir();
}

// Something below this directory may match. A pattern that begins with names leads nowhere else.
bool leads_to(std::string_view pattern, std::string_view dir) {
  while (!dir.empty()) {
    size_t dir_end = std::min(dir.find('/'), dir.size()), end = pattern.find('/');
    std::string_view head = pattern.substr(0, end);
    // Alternatives may hold slashes.
    if (head.find("**") != std::string_view::npos || head.find_first_of("{\\") != std::string_view::npos) return true;
    if (end == std::string_view::npos || !glob_match(head, dir.substr(0, dir_end))) return false;
    pattern.remove_prefix(end + 1);
    dir.remove_prefix(std::min(dir_end + 1, dir.size()));
  }
  return true;
}

Status walk(FileSystem& fs, const std::string& root, const std::string& below, const std::vector<std::string>& patterns,
            std::vector<std::string>& found) {
  std::vector<DirEntry> entries = KACHE_TRY(fs.list(join_path(root, below)));
  for (const DirEntry& entry : entries) {
    std::string relative = join_path(below, entry.name);
    if (is_dir(fs, join_path(root, relative), entry)) {
      if (entry.name == "target" || entry.name == ".git") continue;
      bool leads = std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) { return leads_to(pattern, relative); });
      if (!leads) continue;
      KACHE_TRY(walk(fs, root, relative, patterns, found));
      continue;
    }
    bool matches = std::any_of(patterns.begin(), patterns.end(),
                               [&](const std::string& pattern) { return glob_match(pattern, relative); });
    if (matches) found.push_back(std::move(relative));
    if (found.size() > kMostFiles) return Error{ErrorCode::too_large, 0, "extra_inputs match too many files"};
  }
  return Ok{};
}

}  // namespace

Result<std::vector<std::string>> find_matches(FileSystem& fs, const std::string& dir,
                                              const std::vector<std::string>& patterns) {
  std::vector<std::string> found;
  KACHE_TRY(walk(fs, dir, "", patterns, found));
  std::sort(found.begin(), found.end());
  return found;
}

std::string matches_question(const std::string& dir, const std::vector<std::string>& patterns) {
  std::string question = dir + "/";
  for (const std::string& pattern : patterns) question += '\0' + pattern;
  return question;
}

bool split_matches_question(const std::string& question, std::string& dir, std::vector<std::string>& patterns) {
  size_t zero = question.find('\0');
  if (zero == std::string::npos || zero < 2 || question[zero - 1] != '/') return false;
  dir = question.substr(0, zero - 1);
  for (size_t start = zero + 1;;) {
    size_t end = question.find('\0', start);
    patterns.push_back(question.substr(start, end - start));
    if (end == std::string::npos) return true;
    start = end + 1;
  }
}

}  // namespace kache
