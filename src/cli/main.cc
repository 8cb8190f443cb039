#include "cli/main.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "base/own_paths.h"
#include "base/path.h"
#include "cli/manual.h"
#include "cli/parse.h"

namespace kache {
namespace {

// <prefix>/libexec/kache/kache-tool → <prefix>/bin/kache
std::string front_door(const std::string& self) {
  std::string_view prefix = dir_name(dir_name(dir_name(self)));
  return join_path(prefix, "bin/kache");
}

// What other programs of kache and its build ask for.
struct InnerCommand {
  std::string_view name;
  size_t arguments;
  int (*run)(const Words& words);
};
constexpr InnerCommand kInner[] = {
    {"__config-compile", 1, [](const Words& words) { return run_config_compile(words[1]); }},
    {"__man", 1, [](const Words& words) { return write_manual(words[1]); }},
    {"__completions", 1, [](const Words& words) { return write_completions(words[1]); }},
    {"__options-markdown", 0, [](const Words&) { return print_options_markdown(); }},
};

CommandContext make_context(const Env& env, Needs needs) {
  FileSystem& fs = posix_file_system();
  std::string self = own_program(), cwd = working_directory();
  if (cwd.empty()) cwd = "/";
  Config config;
  if (needs != Needs::nothing) config = load_config(fs, env, cwd, "", self);
  if (needs == Needs::config) {
    for (const std::string& problem : config.problems) std::fprintf(stderr, "kache: warning: %s\n", problem.c_str());
    std::string ignored = ignored_note(config);
    if (!ignored.empty()) std::fprintf(stderr, "kache: warning: %s\n", ignored.c_str());
  }
  StoreLayout layout(config.cache_dir);
  return {fs, system_clock(), env, cwd, front_door(self), self, std::move(config), layout};
}

// Nobody who reads is no fault; a full disk is.
int finish_output(int status) {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return status;
  if (errno == EPIPE) return status;
  return fail(std::string("standard output: ") + std::strerror(errno));
}

}  // namespace

int tool_main(int argc, char** argv, char** environment) {
  Words words(argv + 1, argv + argc);
  for (const InnerCommand& inner : kInner) {
    if (words.size() == 1 + inner.arguments && words[0] == inner.name) return inner.run(words);
  }
  std::signal(SIGPIPE, SIG_DFL);  // `kache list | head -1` ends quietly, whatever our parent ignores
  Said said;
  std::vector<Command> table = commands(said);
  Parsed parsed = parse_command_line(table, words);
  if (!parsed.command) return finish_output(parsed.status);
  CommandContext context = make_context(Env(environment), parsed.command->needs);
  return finish_output(parsed.command->run(context));
}

}  // namespace kache
