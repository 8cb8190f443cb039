#include "record/declared.h"

#include <algorithm>
#include <set>

#include "base/path.h"
#include "base/path_resolver.h"
#include "compiler/text_token.h"

namespace kache {
namespace {

constexpr uint64_t kMaxDepInfoSize = 64u << 20;

// What rustc asks for by itself and makes something of; no dep-info names it.
constexpr const char* kAsked[] = {"LLVM_OVERRIDE_PRODUCER", "RUSTC_BOOTSTRAP", "RUSTC_FORCE_RUSTC_VERSION",
                                  "RUSTUP_TOOLCHAIN", "SOURCE_DATE_EPOCH"};

const Emit* find_emit(const Invocation& invocation, std::string_view kind) {
  for (const Emit& emit : invocation.emits) {
    if (emit.kind == kind) return &emit;
  }
  return nullptr;
}

bool makes(const Invocation& invocation, std::string_view type) {
  const std::vector<std::string>& types = invocation.crate_types;
  return std::find(types.begin(), types.end(), type) != types.end();
}

class Declarer {
 public:
  Declarer(FileSystem& fs, const CommandLine& line, const Invocation& invocation, int64_t started_ns)
      : fs_(fs), line_(line), invocation_(invocation), started_ns_(started_ns), resolver_(fs) {}

  Observed run() {
    if (invocation_.purpose == Purpose::compile) read_dep_info();
    for (const Extern& crate : invocation_.externs) {
      if (!crate.path.empty()) read(crate.path);
    }
    for (const std::string& arg : invocation_.args) read_named_files(arg);
    for (const SearchDir& dir : invocation_.search_dirs) {
      if (dir.kind != "dependency") read_libraries(absolute_path(line_.cwd, dir.path));
    }
    if (invocation_.purpose == Purpose::compile) find_written();
    return std::move(out_);
  }

 private:
  void refuse(Refusal refusal, std::string_view detail) {
    if (!out_.refused) out_.refused = {refusal, std::string(detail)};
  }

  void read(const std::string& name) {
    std::string path = absolute_path(line_.cwd, name);
    if (!seen_.insert(path).second) return;
    Result<FileStat> stat = fs_.stat(path);
    if (!stat.ok() || !stat->is_regular()) return refuse(Refusal::input_unreadable, path);
    out_.files.push_back({path, *stat, started_ns_});
  }

  void read_dep_info() {
    const Emit* emit = find_emit(invocation_, "dep-info");
    std::string path = emit && !emit->path.empty()
                           ? emit->path
                           : join_path(invocation_.output_dir(), invocation_.crate_name + invocation_.extra_filename + ".d");
    path = absolute_path(line_.cwd, path);
    Result<std::string> bytes = read_file(fs_, path, kMaxDepInfoSize);
    if (!bytes.ok()) return refuse(Refusal::record_incomplete, path);
    Result<DepInfo> info = parse_dep_info(*bytes);
    if (!info.ok()) return refuse(Refusal::record_incomplete, path);
    for (const std::string& source : info->sources) read(source);
    std::set<std::string> names(std::begin(kAsked), std::end(kAsked));
    for (const EnvDep& variable : info->env) {
      // Set by the compiler for itself (-Z options): then it is no input from outside.
      const char* ours = line_.env.get(variable.name);
      if (variable.is_set ? ours && variable.value == ours : !ours) names.insert(variable.name);
    }
    out_.variables.assign(names.begin(), names.end());
  }

  // A profile, a description of a target, a plugin: whatever an argument names that is a file. Outputs are none yet when
  // they are named, or are this compile's own.
  void read_named_files(std::string_view arg) {
    for (;;) {
      std::string path = absolute_path(line_.cwd, arg);
      Result<FileStat> stat = fs_.stat(path);
      bool is_output = stat.ok() && stat->ctime_ns >= started_ns_;
      if (!arg.empty() && stat.ok() && stat->is_regular() && !is_output) read(path);
      size_t separator = arg.find_first_of("=,:");
      if (separator == std::string_view::npos) return;
      arg.remove_prefix(separator + 1);
    }
  }

  // An archive that goes into an rlib is named by nobody.
  void read_libraries(const std::string& dir) {
    Question question;
    question.input.kind = InputKind::libraries;
    question.input.path.rest = dir;
    out_.questions.push_back(question);
    Result<std::vector<DirEntry>> entries = fs_.list(dir);
    if (!entries.ok()) return;
    std::vector<std::string> names;
    for (const DirEntry& entry : *entries) names.push_back(entry.name);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      std::string path = join_path(dir, name);
      Result<FileStat> stat = fs_.stat(path);
      bool is_library = name.ends_with(".a") || name.ends_with(".o") || name.ends_with(".so") || name.ends_with(".rlib");
      if (is_library && stat.ok() && stat->is_regular()) read(path);
    }
  }

  // What is in the output directory under the unit's name and was made since.
  void find_written() {
    std::string dir = resolver_.real(absolute_path(line_.cwd, invocation_.output_dir()));
    std::set<std::string> paths;
    Result<std::vector<DirEntry>> entries = fs_.list(dir);
    if (!entries.ok()) return refuse(Refusal::record_incomplete, dir);
    for (const DirEntry& entry : *entries) {
      for (const std::string& stem : invocation_.output_stems()) {
        if (entry.name.starts_with(stem + ".")) paths.insert(join_path(dir, entry.name));
      }
    }
    for (const Emit& emit : invocation_.emits) {
      if (!emit.path.empty()) paths.insert(resolver_.place(absolute_path(line_.cwd, emit.path)));
    }
    if (!invocation_.output_file.empty()) {
      paths.insert(resolver_.place(absolute_path(line_.cwd, invocation_.output_file)));
    }
    for (const std::string& path : paths) {
      Result<FileStat> stat = fs_.lstat(path);
      if (stat.ok() && stat->ctime_ns >= started_ns_) out_.written.push_back({path, false});
    }
  }

  FileSystem& fs_;
  const CommandLine& line_;
  const Invocation& invocation_;
  int64_t started_ns_;
  PathResolver resolver_;
  std::set<std::string> seen_;
  Observed out_;
};

}  // namespace

Refused check_declared(const CommandLine& line, const Invocation& invocation, bool knows_sysroot) {
  if (!knows_sysroot) {
    return {Refusal::record_incomplete, "this compiler can not be recorded, and where its libraries are is not known"};
  }
  if (invocation.purpose == Purpose::probe) return {};
  if (invocation.links() || (find_emit(invocation, "link") && makes(invocation, "staticlib"))) {
    return {Refusal::record_incomplete, "this compiler can not be recorded, and what its linker reads is not known"};
  }
  if (!find_emit(invocation, "dep-info")) {
    return {Refusal::record_incomplete, "this compiler can not be recorded, and no dep-info is asked for"};
  }
  if (line.env.has("RUST_TARGET_PATH")) return {Refusal::record_incomplete, "RUST_TARGET_PATH and no record"};
  return {};
}

Observed declare_inputs(FileSystem& fs, const CommandLine& line, const Invocation& invocation, int64_t started_ns) {
  return Declarer(fs, line, invocation, started_ns).run();
}

}  // namespace kache
