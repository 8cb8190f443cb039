#include "wrapper/background_gc.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

extern char** environ;

namespace kache {
namespace {

// In a session of its own and without our streams: cargo waits for the end of its wrapper's stderr.
void start_detached(const std::string& program, const char* a, const char* b) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  for (int fd = 0; fd < 3; ++fd) ::posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
#ifdef __GLIBC__
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);  // the jobserver is not for it
#endif
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  char* argv[] = {const_cast<char*>(program.c_str()), const_cast<char*>(a), const_cast<char*>(b), nullptr};
  pid_t child = 0;
  (void)::posix_spawn(&child, program.c_str(), &actions, &attributes, argv, environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
}

}  // namespace

void start_gc_when_due(FileSystem& fs, Clock& clock, const StoreLayout& layout, const std::string& tool) {
  std::string stamp = layout.v1() + "/gc-stamp";
  Result<FileStat> last = fs.stat(stamp);
  if (last.ok() && clock.wall_ns() - last->mtime_ns < kGcIntervalNs) return;
  // Of several misses at the same moment one may start a second run; the lock of GC ends it at once.
  Status stamped = last.ok() ? fs.touch(stamp) : fs.append(stamp, "");
  if (!last.ok() || !stamped.ok()) return;  // a new store has nothing to collect
  start_detached(tool, "gc", "--background");
}

}  // namespace kache
