#include "wrapper/background_gc.h"

#include "wrapper/process.h"

namespace kache {

void start_gc_when_due(FileSystem& fs, Clock& clock, const StoreLayout& layout, const std::string& tool, const Env& env) {
  std::string stamp = layout.v1() + "/gc-stamp";
  Result<FileStat> last = fs.stat(stamp);
  int64_t age = last.ok() ? clock.wall_ns() - last->mtime_ns : 0;
  if (last.ok() && age >= 0 && age < kGcIntervalNs) return;  // below 0: the clock was set back, and would have to come there again
  // Of several misses at the same moment one may start a second run; the lock of GC ends it at once.
  Status stamped = last.ok() ? fs.touch(stamp) : fs.append(stamp, "");
  if (!last.ok() || !stamped.ok()) return;  // a new store has nothing to collect
  (void)start_detached({tool, "gc", "--background"}, env);
}

}  // namespace kache
