#include <stdlib.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <unordered_map>

#include "base/boot.h"
#include "base/path.h"
#include "cli/cargo_config.h"
#include "cli/command.h"
#include "config/options.h"
#include "index/walk.h"
#include "record/recorder_check.h"
#include "store/blob.h"
#include "store/entry.h"
#include "store/memo.h"
#include "store/toolchain.h"
#include "wrapper/process.h"

namespace kache {
namespace {

class Checklist {
 public:
  explicit Checklist(bool colours) : colours_(colours) {}

  void row(bool good, const char* label, const std::string& detail, const std::string& fix = "") {
    const char* mark = good ? "ok " : "BAD";
    if (colours_) std::printf("  \x1b[%dm%s\x1b[0m ", good ? 32 : 31, mark);
    else std::printf("  %s ", mark);
    std::printf("%-14s %s\n", label, detail.c_str());
    if (!good) ++issues_;
    if (!good && !fix.empty()) std::printf("      -> %s\n", fix.c_str());
  }
  void note(const char* label, const std::string& detail) { std::printf("  -   %-14s %s\n", label, detail.c_str()); }

  int finish() const {
    if (issues_ == 0) std::puts("\n  All checks passed.");
    else std::printf("\n  %d issue(s) found.\n", issues_);
    return 0;
  }

 private:
  bool colours_;
  int issues_ = 0;
};

struct NetworkFs {
  long magic;
  const char* name;
};
// linux/magic.h and the file systems' own sources.
constexpr NetworkFs kNetwork[] = {
    {0x6969, "nfs"}, {0x517B, "smb"}, {0xFF534D42, "cifs"}, {0xFE534D42, "smb2"}, {0x01021997, "9p"},
    {0x00C36400, "ceph"}, {0x01161970, "gfs2"}, {0x0BD00BD0, "lustre"}, {0x564C, "ncp"}, {0x5346414F, "afs"},
    {0x65735546, "fuse"},
};

std::string network_file_system(const std::string& path) {
  std::string place = path;
  struct statfs info;
  while (::statfs(place.c_str(), &info) != 0) {
    if (place.size() <= 1) return {};
    place = dir_name(place);
  }
  for (const NetworkFs& row : kNetwork) {
    if (static_cast<unsigned long>(info.f_type) == static_cast<unsigned long>(row.magic)) return row.name;
  }
  return {};
}

std::string recorder_path(const CommandContext& context) {
  return std::string(dir_name(dir_name(context.kache))) + "/libexec/kache/libkache-record.so";
}

void check_setup(const CommandContext& context, Checklist& list) {
  bool is_there = ::access(context.kache.c_str(), X_OK) == 0;
  list.row(is_there, "Binary", context.kache, "install kache again");
  std::string wrapper(context.env.get_or_empty("RUSTC_WRAPPER"));
  std::string where = "environment";
  if (wrapper.empty()) {
    std::string cargo_home(context.env.get_or_empty("CARGO_HOME"));
    if (cargo_home.empty()) cargo_home = join_path(context.env.get_or_empty("HOME"), ".cargo");
    where = cargo_home + "/config.toml";
    Result<std::string> text = read_file(context.fs, where, 16u << 20);
    if (text.ok()) {
      Result<CargoEdit> edit = set_rustc_wrapper(*text, context.kache);
      if (edit.ok()) wrapper = edit->old_value;
    }
  }
  list.row(base_name(wrapper) == "kache", "RUSTC_WRAPPER", wrapper.empty() ? "not set" : wrapper + " (" + where + ")",
           "kache init");
  std::string recorder = recorder_path(context);
  list.row(::access(recorder.c_str(), R_OK) == 0, "Recorder", recorder, "install kache again");
  const Config& config = context.config;
  if (config.problems.empty()) list.row(true, "Configuration", config.file.empty() ? "defaults, no file" : config.file);
  for (const std::string& problem : config.problems) {
    list.row(false, "Configuration", problem, "correct it; until then the default is used");
  }
}

// The compilers that a build here may use: the one on PATH, $RUSTC, and all that rustup has.
std::vector<std::string> find_compilers(const CommandContext& context) {
  std::vector<std::string> found;
  auto add = [&](const std::string& path) {
    if (::access(path.c_str(), X_OK) == 0 && std::find(found.begin(), found.end(), path) == found.end()) found.push_back(path);
  };
  std::string rustup(context.env.get_or_empty("RUSTUP_HOME"));
  if (rustup.empty()) rustup = join_path(context.env.get_or_empty("HOME"), ".rustup");
  Result<std::vector<DirEntry>> toolchains = context.fs.list(rustup + "/toolchains");
  if (toolchains.ok()) {
    for (const DirEntry& entry : *toolchains) add(rustup + "/toolchains/" + entry.name + "/bin/rustc");
  }
  std::sort(found.begin(), found.end());
  bool has_rustup = !found.empty();
  for (const char* program : {"rustc", context.env.get("RUSTC")}) {
    std::string path = program ? find_executable(context.fs, program, context.env, context.cwd) : "";
    // What rustup puts on PATH is one of the above.
    char* real = ::realpath(path.c_str(), nullptr);
    bool is_proxy = has_rustup && real && base_name(real) == "rustup";
    ::free(real);
    if (!path.empty() && !is_proxy) add(path);
  }
  return found;
}

// Whether the recorder sees what this compiler does. Compiling a little thing is the way to know.
void check_toolchains(const CommandContext& context, Checklist& list) {
  std::vector<std::string> compilers = find_compilers(context);
  if (compilers.empty()) return list.note("Toolchain", "no rustc found");
  std::string recorder = recorder_path(context);
  for (const std::string& rustc : compilers) {
    Result<bool> works = recorder_works({SelfTest::rust, {rustc}, recorder, "/tmp", context.env});
    if (!works.ok()) {
      list.row(false, "Toolchain", rustc + ": " + works.error().message, "run it by hand to see why");
    } else if (*works) {
      list.row(true, "Toolchain", rustc + ": recorded");
    } else {
      list.row(false, "Toolchain", rustc + ": can not be recorded; libraries are cached by what it says itself (declared mode), programs are not",
               "use a rustc that is linked dynamically with the system's libc");
    }
  }
}

void check_store(const CommandContext& context, Checklist& list) {
  const std::string& root = context.layout.root();
  bool exists = context.fs.stat(root).ok();
  bool writable = !exists || ::access(root.c_str(), W_OK) == 0;
  list.row(writable, "Cache dir", root + (exists ? "" : " (will be created by the first build)"),
           "make it writable, or set KACHE_CACHE_DIR");
  std::string network = network_file_system(root);
  list.row(network.empty(), "Cache FS", network.empty() ? "local" : network + " is a network file system",
           "set KACHE_CACHE_DIR to a local path");
  if (!read_boot_id(context.fs).is_known()) {
    list.row(false, "Boot", "the kernel does not say which boot this is; every hit reads what it restores", "mount /proc");
  }
}

enum class BlobState : uint8_t { good, missing, changed };

BlobState check_blob(const CommandContext& context, const Output& output, bool checksums) {
  std::string path = context.layout.blob(output.blob);
  Result<FileStat> stat = context.fs.stat(path);
  if (!stat.ok() || stat->size != output.size) return BlobState::missing;
  if (!is_sealed(*stat, output.blob.digest)) return BlobState::changed;
  if (!checksums) return BlobState::good;
  Result<File> file = open_file(context.fs, path);
  Result<Digest> digest = file.ok() ? digest_file(context.fs, file->handle()) : Result<Digest>(file.error());
  return digest.ok() && *digest == output.blob.digest ? BlobState::good : BlobState::changed;
}

// Every entry file and, once each, every blob that one names; what an index says is not asked here.
class StoreCheck {
 public:
  StoreCheck(const CommandContext& context, const DoctorOptions& options) : context_(context), options_(options) {}

  int run() {
    std::puts("Verifying cache entries...\n");
    each_sharded(context_.fs, context_.layout.entries(), [&](const std::string& path, const std::string& name) {
      ++entries_;
      if (!check_entry(path, name)) bad_.push_back(path);
    });
    return report();
  }

 private:
  bool check_entry(const std::string& path, const std::string& name) {
    Digest key;
    Result<std::string> bytes = read_file(context_.fs, path, kMaxEntrySize);
    if (!bytes.ok() || !Digest::parse_hex(name, key)) return false;
    Result<Entry> entry = decode_entry(*bytes, ActionKey{key});
    if (!entry.ok()) return false;
    bool good = true;
    for (const Output& output : entry->outputs) {
      if (output.content == OutputContent::blob) good &= check_once(output) == BlobState::good;
    }
    return good;
  }

  BlobState check_once(const Output& output) {
    auto [place, is_new] = known_.try_emplace(output.blob.digest, BlobState::good);
    if (!is_new) return place->second;
    place->second = check_blob(context_, output, options_.checksums);
    missing_ += place->second == BlobState::missing;
    changed_ += place->second == BlobState::changed;
    if (place->second != BlobState::good && options_.repair) (void)context_.fs.unlink(context_.layout.blob(output.blob));
    return place->second;
  }

  int report() {
    auto number = [](uint64_t n) { return static_cast<unsigned long long>(n); };
    std::printf("Cache verification complete\n  Entries: %llu total, %llu valid, %llu corrupted\n", number(entries_),
                number(entries_ - bad_.size()), number(bad_.size()));
    std::printf("  Blobs: %llu checked, %llu missing, %llu checksum failures\n", number(known_.size()), number(missing_),
                number(changed_));
    if (bad_.empty()) return 0;
    if (!options_.repair) {
      return fail("cache integrity check failed: " + std::to_string(bad_.size()) +
                  " corrupted entries; run `kache doctor --verify --repair` to remove them");
    }
    for (const std::string& path : bad_) (void)context_.fs.unlink(path);
    std::printf("Repairing: removed %llu corrupted entries.\n", number(bad_.size()));
    return 0;
  }

  struct DigestHash {
    size_t operator()(const Digest& digest) const { return digest.prefix64(); }
  };
  const CommandContext& context_;
  const DoctorOptions& options_;
  uint64_t entries_ = 0, missing_ = 0, changed_ = 0;
  std::unordered_map<Digest, BlobState, DigestHash> known_;
  std::vector<std::string> bad_;
};

}  // namespace

int run_doctor(const CommandContext& context, const DoctorOptions& options) {
  if (options.verify || options.checksums || options.repair) return StoreCheck(context, options).run();
  bool colours = ::isatty(1) && !context.env.has("NO_COLOR");
  std::printf("  kache v%s\n\n", KACHE_VERSION);
  Checklist list(colours);
  check_setup(context, list);
  check_toolchains(context, list);
  check_store(context, list);
  return list.finish();
}

}  // namespace kache
