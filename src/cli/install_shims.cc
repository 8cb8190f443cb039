#include <cstdio>

#include "base/path.h"
#include "cli/command.h"

namespace kache {
namespace {

constexpr const char* kShims[] = {"cc", "c++", "gcc", "g++", "clang", "clang++"};
constexpr const char* kArchiveShims[] = {"ar", "ranlib"};

enum class Installed { made, was_there, kept, failed };

// A link to the front door. What else bears the name stays, unless it is to be replaced.
Installed install(const CommandContext& context, const std::string& path, bool force) {
  Result<std::string> target = context.fs.read_link(path);
  if (target.ok() && *target == context.kache) return Installed::was_there;
  if (context.fs.lstat(path).ok() && !force) return Installed::kept;
  std::string temporary = temporary_beside(path);
  Status made = context.fs.symlink(context.kache, temporary);
  if (made.ok()) made = context.fs.rename(temporary, path);
  if (made.ok()) return Installed::made;
  (void)context.fs.unlink(temporary);
  return fail(made.error().message), Installed::failed;
}

}  // namespace

int run_install_shims(const CommandContext& context, const ShimOptions& options) {
  std::string dir = absolute_path(context.cwd, options.dir);
  Status made = make_dirs(context.fs, dir, 0755);
  if (!made.ok()) return fail(made.error().message);
  std::vector<std::string> names(std::begin(kShims), std::end(kShims));
  if (options.archives) names.insert(names.end(), std::begin(kArchiveShims), std::end(kArchiveShims));
  int kept = 0;
  for (const std::string& name : names) {
    std::string path = join_path(dir, name);
    switch (install(context, path, options.force)) {
      case Installed::made: std::printf("  %s -> %s\n", path.c_str(), context.kache.c_str()); break;
      case Installed::was_there: std::printf("  %s is there\n", path.c_str()); break;
      case Installed::kept:
        std::printf("  %s is something else and stays; use --force to replace it\n", path.c_str());
        ++kept;
        break;
      case Installed::failed: return 1;
    }
  }
  std::printf("Put %s first on PATH, and leave the real compilers behind it:\n  export PATH=%s:$PATH\n", dir.c_str(), dir.c_str());
  return kept == 0 ? 0 : 1;
}

}  // namespace kache
