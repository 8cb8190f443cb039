#include "wrapper/build.h"

#include <algorithm>
#include <iterator>

namespace kache {
namespace {

// As the kernel cuts them: 15 bytes. Those that are there for one build only; a server or a watcher lives for days.
constexpr std::string_view kBuildPrograms[] = {
    "b2",        "bjam",  "bmake", "bootstrap",       "cargo",       "cmake", "config.status",
    "configure", "ctest", "dh",    "dpkg-buildpacka", "gmake",       "make",  "makepkg",
    "meson",     "muon",  "n2",    "ninja",           "ninja-build", "pmake", "remake",
    "rpmbuild",  "rules", "samu",  "scons",           "tup",         "waf",   "xcodebuild",
};
// An ancestor costs about 12 µs. How many of other kinds may stand in a row below the first build program (libtool and
// the shells around it), and between two (the build script of a crate, or a shell).
constexpr int kMostBelow = 4, kMostBetween = 1;

static_assert(std::is_sorted(std::begin(kBuildPrograms), std::end(kBuildPrograms)));

std::string hex_prefix(const BootId& boot) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < 4; ++i) text += {kHex[boot.bytes[i] >> 4], kHex[boot.bytes[i] & 15]};
  return text;
}

}  // namespace

bool is_build_program(std::string_view name) {
  return std::binary_search(std::begin(kBuildPrograms), std::end(kBuildPrograms), name.substr(0, 15));
}

Build find_build(FileSystem& fs, const BootId& boot, const OwnProcess& self) {
  int found = 0, others = 0;  // others: in a row that are no build programs
  ProcessInfo build;
  bool is_tool = false, in_copies = true;
  for (int pid = self.parent; pid > 0 && others < 1 + (is_tool ? kMostBetween : kMostBelow);) {
    std::optional<ProcessInfo> process = read_process(fs, pid);
    if (!process || (found != 0 && process->session != self.session)) break;
    // Without a build program it is the parent; a copy that a shell made of itself counts as the shell.
    in_copies = in_copies && (found == 0 || build.name == self.name || build.name == process->name);
    bool is_build = is_build_program(process->name);
    others = is_build ? 0 : others + 1;
    is_tool = is_tool || is_build;
    int parent = process->parent;
    bool is_job = is_build && process->group == pid && parent == self.session;  // above it is the user's shell
    if (is_build || (!is_tool && in_copies)) {
      found = pid;
      build = std::move(*process);
    }
    if (pid == self.session || is_job) break;
    pid = parent;
  }
  if (found == 0) return {};
  return {hex_prefix(boot) + "-" + std::to_string(found) + "-" + std::to_string(build.started), build.name};
}

}  // namespace kache
