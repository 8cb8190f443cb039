#include "wrapper/identify.h"

#include "store/toolchain.h"

namespace kache {

Result<IdentifiedCompiler> identify_compiler(FileSystem& fs, Clock& clock, Memo& memo, const StoreLayout& layout, const CommandLine& line,
                                             const Invocation& invocation, const std::function<void()>& before_reading) {
  IdentifiedCompiler compiler;
  for (const std::string& program : {invocation.program, invocation.inner}) {
    if (program.empty()) continue;
    bool is_found = !line.program.empty() && program == line.argv.front();
    std::string path = is_found ? line.program : find_executable(fs, program, line.env, line.cwd);
    const std::string& name = path.empty() ? program : path;
    Toolchain toolchain = KACHE_TRY(
        identify_toolchain(fs, clock, memo, layout, name, invocation.target,
                           invocation.family == Family::rustc ? ToolchainKind::rustc : ToolchainKind::program, before_reading));
    compiler.program.found = name;
    compiler.program.real = toolchain.program;
    compiler.program.content = Hasher().field("toolchain", compiler.program.content).field("program", toolchain.identity).finish();
    compiler.knows_sysroot = !toolchain.sysroot.empty();
    compiler.files.insert(toolchain.files.begin(), toolchain.files.end());
    compiler.path = std::move(path);
  }
  return compiler;
}

}  // namespace kache
