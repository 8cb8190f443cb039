#include "key/project.h"

#include <algorithm>
#include <iterator>

#include "base/path.h"

namespace kache {
namespace {

constexpr std::string_view kUsualMark[] = {".git"};  // looked for first, because this is asked on every hit
constexpr std::string_view kCheckoutMarks[] = {".hg", ".svn", ".jj", "_darcs", ".bzr"};
// Of these the topmost counts: a project has one in many of its directories.
constexpr std::string_view kBuildMarks[] = {"CMakeLists.txt", "configure", "meson.build", "MODULE.bazel", "WORKSPACE",
                                            "Cargo.toml",     "Makefile",  "configure.ac"};

class Search {
 public:
  Search(FileSystem& fs, const std::vector<std::string>& limits) : fs_(fs), limits_(limits) {}

  // The first directory upwards that holds one of the marks.
  template <size_t N>
  std::string nearest(std::string_view dir, const std::string_view (&marks)[N]) {
    for (; allowed(dir); dir = dir_name(dir)) {
      if (holds(dir, marks)) return std::string(dir);
    }
    return {};
  }

  template <size_t N>
  std::string topmost(std::string_view dir, const std::string_view (&marks)[N]) {
    std::string top;
    for (; allowed(dir); dir = dir_name(dir)) {
      if (holds(dir, marks)) top = dir;
    }
    return top;
  }

  bool allowed(std::string_view dir) const {
    if (dir.size() <= 1) return false;
    return std::none_of(limits_.begin(), limits_.end(), [&](const std::string& limit) { return is_below(limit, dir); });
  }

 private:
  template <size_t N>
  bool holds(std::string_view dir, const std::string_view (&marks)[N]) {
    return std::any_of(std::begin(marks), std::end(marks),
                       [&](std::string_view mark) { return fs_.lstat(join_path(dir, mark)).ok(); });
  }

  FileSystem& fs_;
  const std::vector<std::string>& limits_;
};

std::string_view common_directory(std::string_view a, std::string_view b) {
  while (!is_below(b, a)) a = dir_name(a);
  return a;
}

}  // namespace

std::string find_project(FileSystem& fs, const std::string& cwd, const std::string& source_dir,
                         const std::vector<std::string>& limits) {
  Search search(fs, limits);
  std::vector<std::string> starts{cwd};
  if (!is_below(cwd, source_dir)) starts.push_back(source_dir);  // what is above it is looked at anyway
  for (const std::string& start : starts) {
    std::string found = search.nearest(start, kUsualMark);
    if (!found.empty()) return found;
  }
  for (const std::string& start : starts) {
    std::string found = search.nearest(start, kCheckoutMarks);
    if (!found.empty()) return found;
  }
  for (const std::string& start : starts) {
    std::string found = search.topmost(start, kBuildMarks);
    if (!found.empty()) return found;
  }
  std::string_view common = common_directory(cwd, source_dir);
  bool is_deep = std::count(common.begin(), common.end(), '/') >= 2;
  return is_deep && search.allowed(common) ? std::string(common) : cwd;
}

std::string relative_path(std::string_view from, std::string_view to) {
  std::string_view common = common_directory(from, to);
  if (common.size() <= 1) return {};
  std::string path;
  for (std::string_view rest = from; rest != common; rest = dir_name(rest)) path += path.empty() ? ".." : "/..";
  return join_path(path, relative_to(to, common));
}

}  // namespace kache
