// kache: the front door. Decides from argv alone whether this is a compile, and hands everything else to kache-tool.
#include <string>
#include <vector>

#include "base/heap.h"
#include "base/own_paths.h"
#include "base/path.h"
#include "compiler/cc_names.h"
#include "compiler/compilers.h"
#include "compiler/real_compiler.h"
#include "wrapper/pipeline.h"

namespace kache {
namespace {

// <prefix>/bin/kache → <prefix>/libexec/kache, in a build tree as well.
std::string find_libexec(const Env& env, const std::string& self) {
  std::string_view given = env.get_or_empty("KACHE_LIBEXEC");
  if (!given.empty()) return std::string(given);
  if (self.empty()) return "/usr/local/libexec/kache";
  return join_path(dir_name(dir_name(self)), "libexec/kache");
}

// Called under the name of a compiler: kache lies as a shim on PATH, and the real one behind it.
bool is_shim(std::string_view name) {
  CcTool tool = cc_name(name).tool;
  return tool != CcTool::none && tool != CcTool::foreign;
}

int run_tool(const CommandLine& line, const std::string& libexec) {
  std::vector<std::string> tool = line.argv;
  tool.insert(tool.begin(), libexec + "/kache-tool");
  Error error = exec_program(tool, line.env);
  write_fully(2, "kache: " + error.message + "; install kache again, or set KACHE_LIBEXEC\n");
  return 127 << 8;
}

// The name of a compiler that is also one of our shims must not lead back to us.
bool name_real_compiler(FileSystem& fs, CommandLine& line, const std::string& self, bool is_required) {
  std::string& program = line.argv.front();
  if (program.find('/') != std::string::npos && !is_required) return true;
  bool passed_over = false;
  std::string real = find_behind_shims(fs, base_name(program), line.env, line.cwd, self, &passed_over);
  if (real.empty() && (passed_over || is_required)) return false;
  if (passed_over || is_required) program = real;
  std::string started(line.env.get_or_empty(kStartedVariable));
  if (!real.empty()) line.env.set(kStartedVariable, started.empty() ? real : started + ":" + real);
  line.program = real;
  return true;
}

int run(int argc, char** argv, char** environment) {
  FileSystem& fs = posix_file_system();
  CommandLine line{std::vector<std::string>(argv + 1, argv + argc), working_directory(), Env(environment)};
  std::string self = own_program();
  std::string libexec = find_libexec(line.env, self);
  bool shim = argc > 0 && is_shim(argv[0]);
  if (shim) line.argv.insert(line.argv.begin(), argv[0]);
  Recognised recognised = recognise(fs, line.argv, line.env);
  if (recognised.kind == Recognised::tool) return run_tool(line, libexec);
  if (recognised.kind == Recognised::cc_probe) {
    line.argv.insert(line.argv.begin(), compiler_of_cc_crate(line.env, base_name(argv[0])));
    recognised.kind = Recognised::stranger;
  }
  if (recognised.kind != Recognised::rustc && !name_real_compiler(fs, line, self, shim)) {
    write_fully(2, "kache: no " + std::string(base_name(line.argv.front())) + " on PATH but kache itself; put the real one's directory behind\n");
    return 127 << 8;
  }
  survive_file_size_limit();
  World world{fs, system_clock(), system_processes(), libexec};
  if (line.cwd.empty()) return exec_program(line.argv, line.env).sys << 8;  // a deleted directory: nothing to share
  return run_wrapper(world, line, recognised.kind);
}

}  // namespace
}  // namespace kache

int main(int argc, char** argv, char** environment) {
  kache::keep_freed_memory();
  kache::end_like(kache::run(argc, argv, environment));
}
