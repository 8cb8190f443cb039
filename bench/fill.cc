// fill CACHE_DIR N [own]: adds N entries to a store, each with a trace of thirty inputs, a digest of each in the memo, and
// outputs that all share one blob; with `own`, two blobs of its own instead. The keys are random, so that nothing asks for
// them; everything else is as a compile leaves it.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/clock.h"
#include "base/path.h"
#include "store/blob.h"
#include "store/entry.h"
#include "store/layout.h"
#include "store/memo.h"
#include "store/traces.h"

using namespace kache;

namespace {

Digest digest_of(const char* what, uint64_t n) { return Hasher().field(what, n).finish(); }

Status write(FileSystem& fs, const std::string& path, const std::string& bytes) {
  Status made = fs.create(path, bytes, 0600);
  if (made.ok() || made.code() != ErrorCode::not_found) return made;
  KACHE_TRY(make_dirs(fs, std::string(dir_name(path)), 0700));
  return fs.create(path, bytes, 0600);
}

BlobId write_blob(FileSystem& fs, const StoreLayout& layout, uint64_t number) {
  std::string bytes(4096, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  BlobId id{digest_bytes(bytes)};
  std::string path = layout.blob(id);
  if (write(fs, path, bytes).ok()) (void)fs.set_mtime(path, seal_mtime(id.digest));
  return id;
}

Status fill(FileSystem& fs, const StoreLayout& layout, uint64_t count, bool own_blobs) {
  KACHE_TRY(prepare_store(fs, layout));
  BootId boot = read_boot_id(fs);
  uint64_t start = static_cast<uint64_t>(system_clock().wall_ns());
  BlobId shared{digest_of("blob", 0)};
  for (uint64_t i = 0; i < count; ++i) {
    Entry entry;
    entry.key.digest = digest_of("entry", start + i);
    entry.invocation.digest = digest_of("invocation", start + i);
    entry.crate_name = "crate_" + std::to_string(i % 1000);
    entry.crate_types = "lib";
    entry.profile = "debug";
    entry.created_ns = system_clock().wall_ns();
    entry.compile_ms = 500 + i % 5000;
    entry.stamp = stamp_now(system_clock(), boot);
    for (const char* role : {"metadata", "link"}) {
      Output output;
      output.role = role;
      output.name = "lib" + entry.crate_name + (output.role == "link" ? "-1.rlib" : "-1.rmeta");
      output.mode = 0644;
      output.size = 4096;
      output.blob = own_blobs ? write_blob(fs, layout, (start + i) * 2 + entry.outputs.size()) : shared;
      entry.outputs.push_back(std::move(output));
    }
    KACHE_TRY(write(fs, layout.entry(entry.key), encode_entry(entry)));

    Traces traces;
    traces.key = entry.invocation;
    traces.crate_name = entry.crate_name;
    traces.parts = {{"toolchain", digest_of("toolchain", 0).hex()}, {"argv", "--crate-name=" + entry.crate_name}};
    InputSet set;
    for (uint64_t j = 0; j < 30; ++j) {
      Input input;
      input.path = {{RootKind::workspace, 0}, "src/module_" + std::to_string(j) + ".rs"};
      input.digest = digest_of("input", i * 30 + j);
      set.inputs.push_back(std::move(input));
    }
    traces.add(set, entry.key);
    KACHE_TRY(write(fs, layout.trace(traces.key), encode_traces(traces)));
  }
  Memo memo = Memo::open(layout.memo(), boot);
  for (uint64_t i = 0; i < count; ++i) {
    FileStat stat;
    stat.dev = 1;
    stat.ino = start + i;
    stat.size = 100;
    stat.mtime_ns = stat.ctime_ns = 1;
    memo.insert(stat, 0, digest_of("input", i));
    if (i % 4096 == 0) memo.grow_if_crowded();
  }
  return Ok{};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) return std::fprintf(stderr, "usage: fill CACHE_DIR N [own]\n"), 2;
  Status done = fill(posix_file_system(), StoreLayout(argv[1]), std::strtoull(argv[2], nullptr, 10), argc == 4);
  if (!done.ok()) return std::fprintf(stderr, "fill: %s\n", done.error().message.c_str()), 1;
  return 0;
}
