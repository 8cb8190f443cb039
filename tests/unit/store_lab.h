// A unit that is compiled, published, looked up and restored, through the stages of the wrapper and over a file system of
// the test's choice. What lies on `disk` is what survives; the compiler is a function of the source.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <map>
#include <string>
#include <vector>

#include "compiler/compilers.h"
#include "store/restore.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/mem_file_system.h"
#include "wrapper/commit.h"
#include "wrapper/lookup.h"
#include "wrapper/serve.h"

namespace kache {

using Files = std::map<std::string, std::string>;  // path → bytes

inline constexpr const char* kBoots[] = {"00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002",
                                         "00000000-0000-0000-0000-000000000003"};

class StoreLab {
 public:
  StoreLab() {
    char name[] = "/tmp/kache-lab-XXXXXX";
    scratch_ = ::mkdtemp(name);
    for (const char* dir : {"/work/src", "/work/target/debug/deps", "/proc/sys/kernel/random"}) {
      (void)make_dirs(disk, dir, 0755);
    }
    (void)disk.create(kBootIdPath, kBoots[0], 0444);
    (void)disk.sync(kBootIdPath);
    (void)prepare_store(disk, layout);
    write_source("first");
  }
  ~StoreLab() {
    ::unlink(memo_path().c_str());
    ::rmdir(scratch_.c_str());
  }

  void write_source(const std::string& text) {
    (void)disk.unlink("/work/src/lib.rs");
    (void)disk.create("/work/src/lib.rs", text, 0644);
    (void)disk.sync("/work/src/lib.rs");
    clock.advance_ms(10);
  }

  void reboot(int number) {
    disk.overwrite(kBootIdPath, kBoots[number]);
    (void)disk.sync(kBootIdPath);
    clock.advance_ms(60'000);
    clock.booted_ns = clock.now_ns;
    clock.advance_ms(10'000);
  }
  void crash(Loss loss, int number) {
    disk.power_cut(loss);
    reboot(number);
  }

  // What the compiler makes of a source.
  Files outputs_of(const std::string& source) const {
    std::string deps = "/work/target/debug/deps/";
    std::string code;
    for (int i = 0; i < 40; ++i) code += "code of " + source + "\n";
    return {{deps + "libunit.rlib", code},
            {deps + "libunit.rmeta", "metadata of " + source},
            {deps + "unit.d", "/work/target/debug/deps/libunit.rlib: src/lib.rs\n"}};
  }
  void remove_outputs() {
    for (const auto& [path, bytes] : disk.files_below("/work/target")) (void)disk.unlink(path);
  }
  Files outputs() { return disk.files_below("/work/target"); }

  // A compile and its commit.
  Result<CommitReport> publish(FileSystem& fs) {
    Unit unit = look(fs);
    std::string source = read_file(disk, "/work/src/lib.rs", 1000).value_or("");
    Observed observed;
    observed.files.push_back({"/work/src/lib.rs", disk.stat("/work/src/lib.rs").value(), clock.file_clock_ns()});
    int64_t started_ns = clock.file_clock_ns();
    remove_outputs();
    for (const auto& [path, bytes] : outputs_of(source)) (void)disk.create(path, bytes, 0644);
    FoundOutputs found;
    for (const auto& [role, name] : {std::pair{"link", "libunit.rlib"}, {"metadata", "libunit.rmeta"}, {"dep-info", "unit.d"}}) {
      FoundOutput output;
      output.output.role = role;
      output.output.name = name;
      output.output.mode = 0644;
      output.path = std::string("/work/target/debug/deps/") + name;
      output.stat = disk.stat(output.path).value();
      found.outputs.push_back(std::move(output));
    }
    clock.advance_ms(10);
    Verifier verifier(fs, clock, unit.memo, unit.roots, line_, invocation_, layout);
    ProcessResult process;
    process.elapsed_ns = 1'000'000'000;
    process.standard_error = "warning of " + source + "\n";
    ExtraInputs extra;
    return commit_entry(fs, clock, unit.blobs, unit.memo, verifier,
                        {line_, invocation_, unit.roots, config_, unit.key, unit.parts, observed, found, process, extra, started_ns, {}});
  }

  enum class Answer { miss, hit };
  // A lookup and, where something is found, the restore. `rejection`, where given, says why it was none.
  Answer ask(FileSystem& fs, std::string* rejection = nullptr) {
    Unit unit = look(fs);
    Verifier verifier(fs, clock, unit.memo, unit.roots, line_, invocation_, layout);
    Lookup lookup = find_entry(fs, layout, verifier, unit.key);
    if (rejection) *rejection = lookup.rejection;
    if (!lookup.found) return Answer::miss;
    Result<Served> served =
        serve_entry(fs, clock, unit.blobs, unit.memo, {lookup.entry, invocation_, line_.cwd, unit.roots, false});
    if (served.ok()) was_verified = served->was_verified;
    else if (rejection) *rejection = served.error().message;
    return served.ok() ? Answer::hit : Answer::miss;
  }

  // Everything that nobody would miss: files on their way.
  std::vector<std::string> leftovers() {
    std::vector<std::string> found;
    for (const char* dir : {"/cache", "/work"}) {
      for (const auto& [path, bytes] : disk.files_below(dir)) {
        if (is_temporary_name(path.substr(path.rfind('/') + 1))) found.push_back(path);
      }
    }
    return found;
  }

  ManualClock clock;
  MemFileSystem disk{clock};
  StoreLayout layout{"/cache"};
  bool was_verified = false;  // by the last hit

 private:
  struct Unit {
    BootId boot;
    BlobStore blobs;
    Memo memo;
    Roots roots;
    std::vector<KeyPart> parts;
    InvocationKey key;
  };
  Unit look(FileSystem& fs) {
    BootId boot = read_boot_id(fs);
    Unit unit{boot, BlobStore(fs, layout, boot), Memo::open(memo_path(), boot),
              find_roots(disk, line_, invocation_, config_), {}, {}};
    unit.parts = key_parts(line_, invocation_, unit.roots, config_, {digest_bytes("toolchain"), "/bin/cc", "/bin/cc"});
    unit.key = derive_invocation_key(unit.parts);
    return unit;
  }
  std::string memo_path() const { return scratch_ + "/memo"; }

  std::string scratch_;
  Config config_;
  CommandLine line_{{"rustc", "--crate-name", "unit", "src/lib.rs", "--crate-type", "lib", "--emit=dep-info,metadata,link",
                     "--out-dir", "/work/target/debug/deps"},
                    "/work", Env()};
  Invocation invocation_ = parse_rustc(disk, line_, Recognised::rustc).invocation;
};

}  // namespace kache
