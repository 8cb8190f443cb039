#include "wrapper/direct.h"

#include <errno.h>

#include "wrapper/compile.h"
#include "wrapper/process.h"

namespace kache {

bool is_only_run(Recognised::Kind kind) {
  return kind == Recognised::driver || kind == Recognised::chain || kind == Recognised::stranger;
}

void make_way(FileSystem& fs, const CommandLine& line, Recognised::Kind kind) {
  CommandLine compiler = line;
  if (kind == Recognised::chain) compiler.argv.erase(compiler.argv.begin());
  ParsedInvocation parsed = parse_rustc(fs, compiler, Recognised::rustc);
  bool is_compile = parsed.invocation.purpose == Purpose::compile && !parsed.invocation.source.empty();
  if (is_compile) unlink_shared_outputs(fs, parsed.invocation, line.cwd);
}

int run_directly(const CommandLine& line) {
  CompileCommand command = plain_command(line);
  return could_not_start(exec_program(command.argv, command.env));
}

int could_not_start(const Error& error) {
  write_fully(2, "kache: " + error.message + "\n");
  return (error.sys == ENOENT ? 127 : 126) << 8;
}

}  // namespace kache
