// kache: the front door. Decides from argv alone whether this is a compile, and hands everything else to kache-tool.
#include <limits.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/path.h"
#include "compiler/compilers.h"
#include "wrapper/pipeline.h"

namespace kache {
namespace {

// <prefix>/bin/kache → <prefix>/libexec/kache, in a build tree as well.
std::string find_libexec(const Env& env) {
  std::string_view given = env.get_or_empty("KACHE_LIBEXEC");
  if (!given.empty()) return std::string(given);
  char self[PATH_MAX];
  ssize_t length = ::readlink("/proc/self/exe", self, sizeof self);
  if (length <= 0) return "/usr/local/libexec/kache";
  std::string_view bin = dir_name({self, static_cast<size_t>(length)});
  return join_path(dir_name(bin), "libexec/kache");
}

std::string working_directory() {
  char buffer[PATH_MAX];
  return ::getcwd(buffer, sizeof buffer) ? buffer : "";
}

int run(int argc, char** argv, char** environment) {
  FileSystem& fs = posix_file_system();
  CommandLine line{std::vector<std::string>(argv + 1, argv + argc), "", Env(environment)};
  Recognised recognised = recognise(fs, line.argv, line.env);
  if (recognised.kind == Recognised::tool) {
    std::vector<std::string> tool = line.argv;
    tool.insert(tool.begin(), find_libexec(line.env) + "/kache-tool");
    Error error = exec_program(tool, line.env);
    write_fully(2, "kache: " + error.message + "; install kache again, or set KACHE_LIBEXEC\n");
    return 127 << 8;
  }
  survive_file_size_limit();
  line.cwd = working_directory();
  World world{fs, system_clock(), system_processes(), find_libexec(line.env)};
  if (line.cwd.empty()) return exec_program(line.argv, line.env).sys << 8;  // a deleted directory: nothing to share
  return run_wrapper(world, line, recognised.kind);
}

}  // namespace
}  // namespace kache

int main(int argc, char** argv, char** environment) { kache::end_like(kache::run(argc, argv, environment)); }
