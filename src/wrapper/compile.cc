#include "wrapper/compile.h"

#include <unistd.h>

#include "base/path.h"
#include "store/verify.h"
#include "key/invocation_key.h"
#include "store/memo.h"
#include "store/restore.h"

namespace kache {
namespace {

// `-C incremental=DIR` in each of its spellings, and the value that follows where it is a word of its own.
std::vector<std::string> without_incremental(const std::vector<std::string>& args) {
  std::vector<std::string> out;
  for (size_t i = 0; i < args.size(); ++i) {
    std::string_view arg = args[i];
    if ((arg == "-C" || arg == "--codegen") && i + 1 < args.size() && args[i + 1].starts_with("incremental=")) {
      ++i;
      continue;
    }
    if (arg.starts_with("-Cincremental=") || arg.starts_with("--codegen=incremental=")) continue;
    out.push_back(args[i]);
  }
  return out;
}

// What makes each compiler show colours though it sees our pipe; null where nothing is known to.
const char* color_argument(const Invocation& invocation) {
  if (invocation.family == Family::rustc) return "--color=always";
  if (invocation.cc.kind == CcKind::gcc) return "-fdiagnostics-color=always";
  if (invocation.cc.kind == CcKind::clang) return "-fcolor-diagnostics";
  return nullptr;
}

// The arguments as the user wrote them, behind ours: response files are the compiler's to read.
CompileCommand cc_command(const CommandLine& line, const Invocation& invocation, const Roots& roots, const Config& config) {
  CompileCommand command{{invocation.program}, line.env};
  command.env.set(kActiveVariable, "1");
  if (remaps_paths(invocation, config)) {
    for (std::string& argument : remap_arguments(invocation, roots, config)) command.argv.push_back(std::move(argument));
  }
  if (invocation.wants_color) command.argv.push_back(color_argument(invocation));
  command.argv.insert(command.argv.end(), invocation.args.begin(), invocation.args.end());
  return command;
}

}  // namespace

bool wants_color(const Invocation& invocation, const Env& env) {
  return !invocation.color_given && color_argument(invocation) && ::isatty(2) && env.get_or_empty("TERM") != "dumb";
}

CompileCommand plain_command(const CommandLine& line) {
  CompileCommand command{line.argv, line.env};
  command.env.set(kActiveVariable, "1");
  return command;
}

Result<CompileCommand> shared_command(const CommandLine& line, const Invocation& invocation, const Roots& roots,
                                      const Config& config) {
  if (invocation.family != Family::rustc) return cc_command(line, invocation, roots, config);
  CompileCommand command{{invocation.program}, line.env};
  command.env.set(kActiveVariable, "1");
  if (!invocation.inner.empty()) command.argv.push_back(invocation.inner);
  if (remaps_paths(invocation, config) && invocation.purpose == Purpose::compile) {
    for (std::string& argument : remap_arguments(invocation, roots, config)) command.argv.push_back(std::move(argument));
  }
  if (invocation.wants_color) command.argv.push_back("--color=always");
  size_t bytes = 0;
  for (std::string& arg : without_incremental(invocation.args)) {
    bytes += arg.size() + 1;
    bool readable_inline = !arg.starts_with('@') && arg.size() < (100u << 10) && bytes < (1u << 20);
    if (invocation.expanded_response_file && !readable_inline) {
      return Error{ErrorCode::unsupported, 0, "arguments of a response file do not fit a command line"};
    }
    command.argv.push_back(std::move(arg));
  }
  return command;
}

static void let_file_settle(FileSystem& fs, Clock& clock, const std::string& path) {
  Result<FileStat> file = fs.stat(path);
  if (file.ok() && file->is_regular() && !settled(*file, clock.file_clock_ns())) clock.let_file_clock_pass(file->ctime_ns);
}

void let_named_files_settle(FileSystem& fs, Clock& clock, const CommandLine& line) {
  std::string_view before;
  for (const std::string& word : line.argv) {
    // Where rustc looks for libraries: one that has just appeared there could have come after it looked. Cargo's
    // `-L dependency=…` is not looked through.
    bool is_searched = before == "-L" && !word.starts_with("dependency=");
    before = word;
    if (word.empty() || word.front() == '-') continue;
    std::string path = absolute_path(line.cwd, is_searched ? word.substr(word.find('=') + 1) : word);
    let_file_settle(fs, clock, path);
    Result<std::vector<DirEntry>> libraries = is_searched ? fs.list(path) : Result<std::vector<DirEntry>>(Error{});
    if (!libraries.ok()) continue;
    for (const DirEntry& library : *libraries) {
      if (is_library_name(library.name)) let_file_settle(fs, clock, join_path(path, library.name));
    }
  }
}

void unlink_shared_outputs(FileSystem& fs, const Invocation& invocation, const std::string& cwd) {
  if (invocation.family != Family::rustc) return;  // these get private copies
  std::vector<std::string> paths = explicit_paths(invocation, cwd);
  std::string dir = absolute_path(cwd, invocation.output_dir());
  for (const std::string& stem : invocation.output_stems()) {
    for (const char* extension : {".rlib", ".rmeta"}) paths.push_back(join_path(dir, stem + extension));
  }
  for (const std::string& path : paths) {
    Result<FileStat> stat = fs.lstat(path);
    if (stat.ok() && stat->is_regular() && stat->nlink > 1) (void)fs.unlink(path);
  }
}

}  // namespace kache
