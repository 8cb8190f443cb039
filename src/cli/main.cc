#include "cli/main.h"

#include <limits.h>
#include <unistd.h>

#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/path.h"
#include "cli/command.h"

namespace kache {
namespace {

std::string self_path() {
  char buffer[PATH_MAX];
  ssize_t length = ::readlink("/proc/self/exe", buffer, sizeof buffer);
  return length > 0 ? std::string(buffer, static_cast<size_t>(length)) : "";
}

// <prefix>/libexec/kache/kache-tool → <prefix>/bin/kache
std::string front_door(const std::string& self) {
  std::string_view prefix = dir_name(dir_name(dir_name(self)));
  return join_path(prefix, "bin/kache");
}

std::string working_directory() {
  char buffer[PATH_MAX];
  return ::getcwd(buffer, sizeof buffer) ? buffer : "/";
}

constexpr const char* kAbout = "kache: a compiler cache for Rust, C and C++.";
constexpr const char* kWays = R"(How builds come to use it:
  Rust        kache init, or RUSTC_WRAPPER=kache
  make        CC="kache cc" CXX="kache c++" AR="kache ar"
  CMake       -DCMAKE_C_COMPILER_LAUNCHER=kache -DCMAKE_CXX_COMPILER_LAUNCHER=kache
  any other   kache install-shims DIR, and DIR first on PATH
`kache doctor` says whether one of these is in effect.)";

// What CLI11 has no good word for: nothing at all, `help`, and a first word that is no command. Returns the status, or -1.
int answer_first_word(const CLI::App& app, const std::string& word, const std::string& topic) {
  if (word.empty() || (word == "help" && topic.empty())) return std::puts(app.help().c_str()), 0;
  const std::string& command = word == "help" ? topic : word;
  std::vector<const CLI::App*> named = app.get_subcommands([&](const CLI::App* one) { return one->get_name() == command; });
  const CLI::App* known = named.empty() ? nullptr : named.front();
  if (word == "help" && known) return std::puts(known->help("kache").c_str()), 0;
  bool is_flag = word == "-h" || word == "--help" || word == "-V" || word == "--version";
  if (known || is_flag) return -1;
  bool may_be_program = command[0] != '-' && word != "help";
  std::fprintf(stderr, "kache: %s is %s; see kache --help\n", command.c_str(),
               may_be_program ? "no command, and no compiler that kache knows by this name" : "nothing that kache knows");
  // kache ld -r a.o: a bare word is taken for a slip of the keyboard.
  if (may_be_program) {
    std::fprintf(stderr, "  To run a program of this name through kache, name it by its path: kache /path/to/%s ...\n", command.c_str());
  }
  return 2;
}

}  // namespace

int tool_main(int argc, char** argv, char** environment) {
  if (argc == 3 && std::string_view(argv[1]) == "__config-compile") return run_config_compile(argv[2]);

  CLI::App app(kAbout, "kache");
  app.set_version_flag("-V,--version", "kache " KACHE_VERSION);
  app.require_subcommand(1);
  std::string self = self_path();

  std::string since = "24h", crate;
  ListOptions list;
  ReportOptions report;
  GcOptions gc;
  DoctorOptions doctor;
  InitOptions init;

  CLI::App* stats_command = app.add_subcommand("stats", "how full the store is and how well it serves");
  stats_command->add_option("--since", since, "time span: 30m, 24h, 7d")->capture_default_str();
  CLI::App* list_command = app.add_subcommand("list", "what is stored");
  list_command->add_option("crate", list.crate, "only this crate or source file, in detail");
  list_command->add_option("--sort", list.sort, "name, size, hits or age")->capture_default_str();
  CLI::App* report_command = app.add_subcommand("report", "what happened in the last builds");
  report_command->add_option("--format", report.format, "text or json")->capture_default_str();
  report_command->add_option("--since", report.since, "time span: 30m, 24h, 7d")->capture_default_str();
  report_command->add_option("--root", report.root, "only this build tree");
  report_command->add_option("-o,--output", report.output, "write to this file");
  report_command->add_option("--top", report.top, "how many units to name")->capture_default_str();
  CLI::App* why_command = app.add_subcommand("why-miss", "which file, variable or flag made a crate or source file miss");
  why_command->add_option("crate", crate, "name of the crate, or of the source file (deflate.c)")->required();
  CLI::App* gc_command = app.add_subcommand("gc", "bring the store below its limits");
  gc_command->add_option("--max-age", gc.max_age, "drop what was not used for so long: 24h, 7d");
  gc_command->add_flag("--background", gc.background, "say nothing")->group("");
  CLI::App* purge_command = app.add_subcommand("purge", "remove everything, or one unit");
  std::string purge_crate;
  purge_command->add_option("--crate-name", purge_crate, "only this crate or source file");
  CLI::App* doctor_command = app.add_subcommand("doctor", "is kache set up well, and is the store sound");
  doctor_command->add_flag("--verify", doctor.verify, "check every entry");
  doctor_command->add_flag("--checksums", doctor.checksums, "read every blob (implies --verify)");
  doctor_command->add_flag("--repair", doctor.repair, "remove what is broken (implies --verify)");
  doctor_command->add_flag("--json", doctor.json, "for programs");
  doctor_command->add_flag("--strict", doctor.strict, "status 3 where there is an issue");
  CLI::App* init_command = app.add_subcommand("init", "make cargo use kache");
  init_command->add_flag("-y,--yes", init.yes, "do not ask");
  init_command->add_flag("--check", init.check, "only say what would be done");
  bool no_service = false;
  init_command->add_flag("--no-service", no_service, "accepted; there is no service to install");

  ShimOptions shims;
  CLI::App* shims_command = app.add_subcommand("install-shims", "make a directory of compilers that go through kache");
  shims_command->add_option("dir", shims.dir, "the directory")->required();
  shims_command->add_flag("--force", shims.force, "replace what bears their names");
  shims_command->add_flag("--archives", shims.archives, "ar and ranlib too");

  app.footer(kWays);  // now, or every command would have it

  int answered = answer_first_word(app, argc > 1 ? argv[1] : "", argc > 2 ? argv[2] : "");
  if (answered >= 0) return answered;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  FileSystem& fs = posix_file_system();
  Env env(environment);
  std::string cwd = working_directory();
  Config config = load_config(fs, env, cwd, "", self);
  for (const std::string& problem : config.problems) std::fprintf(stderr, "kache: warning: %s\n", problem.c_str());
  CommandContext context{fs, system_clock(), env, cwd, front_door(self), config, StoreLayout(config.cache_dir)};

  if (stats_command->parsed()) return run_stats(context, since);
  if (list_command->parsed()) return run_list(context, list);
  if (report_command->parsed()) return run_report(context, report);
  if (why_command->parsed()) return run_why_miss(context, crate);
  if (gc_command->parsed()) return run_gc(context, gc);
  if (purge_command->parsed()) return run_purge(context, purge_crate);
  if (doctor_command->parsed()) return run_doctor(context, doctor);
  if (shims_command->parsed()) return run_install_shims(context, shims);
  return run_init(context, init);
}

}  // namespace kache
