#include "store/toolchain.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include <algorithm>

#include "base/path.h"
#include "store/blob.h"
#include "store/durability.h"
#include "store/framing.h"

namespace kache {
namespace {

constexpr std::string_view kMagic = "KTOOLC02";

// A file or directory as it was when the identity was computed.
struct Seen {
  std::string path;
  FileStat stat;
};

// The libraries of the compiler in <sysroot>/lib. Others that it loads from there are recorded as mapped.
bool is_compiler_library(std::string_view name) {
  for (std::string_view prefix : {"librustc_driver", "libLLVM", "libstd-", "libtest-", "librustc-"}) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

std::string machine() {
  utsname names;
  return ::uname(&names) == 0 ? names.machine : "";
}

class Survey {
 public:
  Survey(FileSystem& fs) : fs_(fs) {}

  bool add(const std::string& path) {
    Result<FileStat> stat = fs_.stat(path);
    if (!stat.ok() || !(stat->is_regular() || stat->is_dir())) return false;
    seen_.push_back({path, *stat});
    return true;
  }

  // Files of a directory (and below it), in a fixed order; the directory itself tells of additions.
  template <typename Wanted>
  void add_dir(const std::string& path, bool deep, Wanted wanted) {
    Result<std::vector<DirEntry>> entries = fs_.list(path);
    if (!entries.ok() || !add(path)) return;
    std::sort(entries->begin(), entries->end(), [](const DirEntry& a, const DirEntry& b) { return a.name < b.name; });
    for (const DirEntry& entry : *entries) {
      std::string below = join_path(path, entry.name);
      if (entry.type == DirEntry::dir) {
        if (deep) add_dir(below, deep, wanted);
      } else if (wanted(entry.name)) {
        add(below);
      }
    }
  }

  // In directories that are everybody's: the driver alone, and not the directory, which changes every day.
  void add_drivers(const std::string& path) {
    Result<std::vector<DirEntry>> entries = fs_.list(path);
    if (!entries.ok()) return;
    for (const DirEntry& entry : *entries) {
      if (entry.name.starts_with("librustc_driver-") && entry.name.ends_with(".so")) add(join_path(path, entry.name));
    }
  }

  const std::vector<Seen>& seen() const { return seen_; }

 private:
  FileSystem& fs_;
  std::vector<Seen> seen_;
};

std::vector<Seen> survey(FileSystem& fs, const Toolchain& toolchain, const std::string& target) {
  Survey survey(fs);
  survey.add(toolchain.program);
  if (toolchain.sysroot.empty()) return survey.seen();
  std::string lib = toolchain.sysroot + "/lib";
  if (toolchain.sysroot != "/usr" && toolchain.sysroot != "/usr/local") {
    survey.add_dir(lib, false, is_compiler_library);
  } else {
    for (const std::string& dir : {lib, lib + "64", lib + "/" + machine() + "-linux-gnu"}) survey.add_drivers(dir);
  }
  std::string rustlib = lib + "/rustlib";
  Result<std::vector<DirEntry>> triples = fs.list(rustlib);
  if (!triples.ok()) return survey.seen();
  std::string_view wanted = base_name(target);
  if (wanted.ends_with(".json")) wanted.remove_suffix(5);
  std::string host_prefix = machine() + "-";
  std::sort(triples->begin(), triples->end(), [](const DirEntry& a, const DirEntry& b) { return a.name < b.name; });
  for (const DirEntry& triple : *triples) {
    bool host = triple.name.starts_with(host_prefix) && triple.name.find("-linux-") != std::string::npos;
    if (!host && triple.name != wanted) continue;
    auto all = [](std::string_view) { return true; };
    for (const char* part : {"/lib", "/bin", "/codegen-backends"}) {
      survey.add_dir(rustlib + "/" + triple.name + part, true, all);
    }
  }
  return survey.seen();
}

std::string encode(const Toolchain& toolchain, const std::string& program, const std::string& target,
                   const std::vector<Seen>& seen, const BootId& boot) {
  ByteWriter out;
  write_boot(out, boot);
  out.text(program);
  out.text(target);
  out.text(toolchain.program);
  out.text(toolchain.sysroot);
  out.digest(toolchain.identity);
  out.varint(seen.size());
  for (const Seen& file : seen) {
    out.text(file.path);
    out.u8(file.stat.is_dir());
    out.u64(file.stat.dev);
    out.u64(file.stat.ino);
    out.u64(file.stat.size);
    out.i64(file.stat.mtime_ns);
    out.i64(file.stat.ctime_ns);
  }
  return seal_frame(kMagic, std::move(out).take());
}

// The memoised identity, if it is of this boot, every covered file is as it was, and the name still leads to the program.
Result<Toolchain> recall(FileSystem& fs, const std::string& path, const std::string& program, const std::string& real,
                         const std::string& target, const BootId& boot) {
  std::string bytes = KACHE_TRY(read_file(fs, path, 4u << 20));
  ByteReader in(KACHE_TRY(open_frame(kMagic, bytes)));
  Error stale{ErrorCode::not_found, 0, "toolchain changed"};
  if (!same_boot(read_boot(in), boot)) return stale;
  if (in.text() != program || in.text() != target) return stale;
  Toolchain toolchain;
  toolchain.program = in.text();
  if (toolchain.program != real) return stale;
  toolchain.sysroot = in.text();
  toolchain.identity = in.digest();
  uint64_t count = in.count(42);
  std::vector<std::string> paths;
  std::vector<FileStat> before;
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    paths.emplace_back(in.text());
    if (in.u8() == 0) toolchain.files.push_back(paths.back());
    FileStat& then = before.emplace_back();
    then.dev = in.u64();
    then.ino = in.u64();
    then.size = in.u64();
    then.mtime_ns = in.i64();
    then.ctime_ns = in.i64();
  }
  if (!in.ok() || !in.at_end()) return stale;
  std::vector<Result<FileStat>> now = fs.stat_all(paths);
  for (size_t i = 0; i < now.size(); ++i) {
    if (!now[i].ok() || !same_identity(*now[i], before[i])) return stale;
  }
  return toolchain;
}

Result<Digest> content(FileSystem& fs, Clock& clock, Memo& memo, const Seen& file) {
  Digest digest;
  if (memo.find(file.stat, 0, &digest)) return digest;
  int64_t now = clock.file_clock_ns();
  File open = KACHE_TRY(open_file(fs, file.path));
  digest = KACHE_TRY(digest_file(fs, open.handle()));
  FileStat after = KACHE_TRY(fs.stat_handle(open.handle()));
  if (!same_identity(after, file.stat)) return Error{ErrorCode::busy, 0, file.path + ": changes while it is read"};
  if (settled(after, now)) memo.insert(after, 0, digest);
  return digest;
}

}  // namespace

std::string find_executable(FileSystem& fs, std::string_view program, const Env& env, const std::string& cwd) {
  if (program.find('/') != std::string_view::npos) return absolute_path(cwd, program);
  std::string_view rest = env.get_or_empty("PATH");
  for (;;) {
    size_t colon = rest.find(':');
    std::string candidate = absolute_path(cwd, join_path(rest.substr(0, colon), program));
    Result<FileStat> stat = fs.stat(candidate);
    if (stat.ok() && stat->is_regular() && stat->is_executable()) return candidate;
    if (colon == std::string_view::npos) return {};
    rest.remove_prefix(colon + 1);
  }
}

Result<Toolchain> identify_toolchain(FileSystem& fs, Clock& clock, Memo& memo, const StoreLayout& layout, const std::string& program,
                                     const std::string& target, ToolchainKind kind, const std::function<void()>& before_reading) {
  std::string memo_path =
      layout.toolchains() + "/" + Hasher().field("program", program).field("target", target).field("kind", static_cast<uint64_t>(kind)).finish().hex();
  // Asked each time: links such as "current" and those of /etc/alternatives are turned.
  char* real = ::realpath(program.c_str(), nullptr);
  if (!real) return error_from_errno(errno, program);
  Toolchain toolchain;
  toolchain.program = real;
  ::free(real);
  Result<Toolchain> known = recall(fs, memo_path, program, toolchain.program, target, memo.boot());
  if (known.ok()) return known;
  if (before_reading) before_reading();

  std::string sysroot(dir_name(dir_name(toolchain.program)));
  if (kind == ToolchainKind::rustc && fs.stat(sysroot + "/lib/rustlib").ok()) toolchain.sysroot = sysroot;

  std::vector<Seen> seen = survey(fs, toolchain, target);
  if (seen.empty()) return Error{ErrorCode::not_found, ENOENT, program + ": not found"};
  Hasher hasher;
  for (const Seen& file : seen) {
    if (file.stat.is_dir()) continue;
    std::string_view name = toolchain.sysroot.empty() ? base_name(file.path)
                                                      : relative_to(file.path, toolchain.sysroot);
    hasher.field("file", name).field("content", KACHE_TRY(content(fs, clock, memo, file)));
    toolchain.files.push_back(file.path);
  }
  toolchain.identity = hasher.finish();
  (void)replace_file(fs, memo_path, encode(toolchain, program, target, seen, memo.boot()), 0600);
  return toolchain;
}

}  // namespace kache
