// `kache cargo -- ARGS`: cargo, with its compiles going through kache, whatever is or is not set up.
#include "base/path.h"
#include "cli/command.h"
#include "cli/doctor.h"
#include "store/toolchain.h"
#include "wrapper/process.h"

namespace kache {

int run_cargo(const CommandContext& context, const std::vector<std::string>& arguments) {
  std::string program = "cargo";
  for (const char* variable : {"CARGO", "KACHE_REAL_CARGO"}) {  // the last one that is set counts
    std::string_view named = context.env.get_or_empty(variable);
    if (!named.empty()) program = named;
  }
  std::string path = find_executable(context.fs, program, context.env, context.cwd);
  if (path.empty()) return fail(program + ": not found; install cargo, or name it in KACHE_REAL_CARGO");
  if (is_this_kache(context, path)) return fail(path + " is kache itself; name the real cargo in KACHE_REAL_CARGO");
  Env env = context.env;
  // What the user has put there may be a wrapper of his own that calls kache.
  if (env.get_or_empty("RUSTC_WRAPPER").empty()) env.set("RUSTC_WRAPPER", context.kache);
  std::vector<std::string> argv = {path};
  bool has_separator = !arguments.empty() && arguments.front() == "--";
  argv.insert(argv.end(), arguments.begin() + has_separator, arguments.end());
  return fail(exec_program(argv, env).message);
}

}  // namespace kache
