#include "record/kernel_files.h"

#include <iterator>

#include "base/path.h"

namespace kache {
namespace {

// A trailing '/' stands for all below.
constexpr std::string_view kHarmless[] = {
    "/proc/self/",       "/proc/thread-self/", "/proc/meminfo",      "/proc/stat",          "/proc/cpuinfo",
    "/proc/mounts",      "/proc/filesystems",  "/proc/loadavg",      "/proc/sys/vm/",       "/sys/fs/cgroup/",
    "/sys/devices/system/cpu/",                "/sys/devices/system/node/",                 "/sys/kernel/mm/",
    "/dev/null",         "/dev/zero",          "/dev/full",          "/dev/tty",            "/dev/urandom",
    "/dev/random",       "/dev/ptmx",          "/dev/pts/",
};

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "/proc/self/cwd/x", "/proc/12/cwd/x" → "cwd/x", if the process is `pid` (0: any).
std::string_view in_own_process(std::string_view path, uint32_t pid) {
  if (!is_below(path, "/proc")) return {};
  std::string_view rest = relative_to(path, "/proc");
  std::string_view process = rest.substr(0, rest.find('/'));
  bool own = process == "self" || process == "thread-self" ||
             (is_number(process) && (pid == 0 || process == std::to_string(pid)));
  if (!own || process.size() == rest.size()) return {};
  return rest.substr(process.size() + 1);
}

}  // namespace

bool is_kernel_path(std::string_view path) {
  if (is_below(path, "/dev/shm")) return false;
  for (std::string_view root : {"/proc", "/dev", "/sys"}) {
    if (is_below(path, root)) return true;
  }
  return false;
}

std::string behind_kernel_path(std::string_view path, std::string_view cwd, uint32_t pid) {
  std::string_view rest = in_own_process(path, pid);
  if (rest.starts_with("cwd/") && is_absolute(cwd)) return join_path(cwd, rest.substr(4));
  if (rest.starts_with("root/")) return std::string(rest.substr(4));
  return {};
}

bool is_environment_file(std::string_view path) { return in_own_process(path, 0) == "environ"; }

bool is_harmless_kernel_file(std::string_view path) {
  if (!in_own_process(path, 0).empty()) return true;
  for (std::string_view row : kHarmless) {
    if (row.ends_with('/') ? path.starts_with(row) : path == row) return true;
  }
  return false;
}

}  // namespace kache
