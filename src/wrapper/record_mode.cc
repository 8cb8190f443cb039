#include "wrapper/record_mode.h"

#include "wrapper/compile.h"

namespace kache {

RecordMode find_record_mode(FileSystem& fs, const StoreLayout& layout, const RecordModeRequest& request,
                            uint32_t& probe_runs) {
  Result<FileStat> library = fs.stat(request.recorder);
  if (!library.ok()) return RecordMode::unknown;
  std::string path = layout.toolchains() + "/recorded-" +
                     Hasher()
                         .field("toolchain", request.toolchain)
                         .field("ino", library->ino)
                         .field("mtime", static_cast<uint64_t>(library->mtime_ns))
                         .finish()
                         .hex();
  Result<std::string> known = read_file(fs, path, 16);
  if (known.ok() && *known == "yes") return RecordMode::recorded;
  if (known.ok() && *known == "no") return RecordMode::declared;

  Env env = request.env;
  env.set(kActiveVariable, "1");
  probe_runs++;
  Result<bool> works = recorder_works({request.language, {request.compiler}, request.recorder, layout.temporary(), env});
  if (!works.ok()) return RecordMode::unknown;
  (void)replace_file(fs, path, *works ? "yes" : "no", 0600);
  return *works ? RecordMode::recorded : RecordMode::declared;
}

}  // namespace kache
