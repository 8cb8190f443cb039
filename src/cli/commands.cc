#include "cli/commands.h"

#include <algorithm>
#include <cstdio>

#include "cli/service_manager.h"
#include "config/options.h"

namespace kache {

const char* const kAbout = "kache: a compiler cache for Rust, C and C++.";
const char* const kWays = R"(How builds come to use it:
  Rust        kache init, or RUSTC_WRAPPER=kache
  make        CC="kache cc" CXX="kache c++" AR="kache ar"
  CMake       kache init, and cmake --preset kache; or
              -DCMAKE_C_COMPILER_LAUNCHER=kache -DCMAKE_CXX_COMPILER_LAUNCHER=kache
  any other   kache install-shims DIR, and DIR first on PATH
`kache doctor` says whether one of these is in effect.)";

Words Flag::spellings() const {
  Words out;
  for (size_t start = 0; start < names.size();) {
    size_t end = std::min(names.find(',', start), names.size());
    out.push_back(names.substr(start, end - start));
    start = end + 1;
  }
  return out;
}

std::string Flag::default_text() const {
  if (auto* text = std::get_if<std::string*>(&value)) return **text;
  if (auto* number = std::get_if<size_t*>(&value)) return std::to_string(**number);
  return {};
}

const Command* find_command(const std::vector<Command>& table, std::string_view name) {
  auto row = std::find_if(table.begin(), table.end(), [&](const Command& one) { return one.name == name; });
  return row == table.end() ? nullptr : &*row;
}

namespace {

constexpr const char* kSetUp = "Set up";
constexpr const char* kLook = "See what happens";
constexpr const char* kKeep = "Keep the store";
constexpr const char* kShare = "Share with other machines";

constexpr const char* kSpan = "time span: 45s, 30m, 24h, 7d, 2w; a bare number means hours";

Command init_command(Said& said) {
  return {"init", "make builds use kache",
          "For Rust it sets build.rustc-wrapper in cargo's config.toml. In a directory with a CMakeLists.txt it adds a preset \"kache\" to "
          "CMakeUserPresets.json. For configure, make and Meson it changes nothing and says what to type. It shows each change and asks; "
          "the old file stays beside the new one.\n\n--undo takes the same changes back: a file that is still as init wrote it becomes "
          "what it was, and of any other only what init wrote goes.",
          {{"-y,--yes", "", "do not ask", &said.init.yes},
           {"--check", "", "only say what would be done", &said.init.check},
           {"--undo", "", "take back what init has written", &said.init.undo},
           {"--cargo", "", "only what is for cargo", &said.init.cargo},
           {"--cc", "", "only what is for C and C++", &said.init.cc},
           {"--json", "", "for programs; with --yes or --check", &said.init.json},
           {"--no-service", "", "accepted; there is no service to install", &said.no_service, {}, FlagKind::hidden}},
          [&](const CommandContext& context) { return run_init(context, said.init); },
          Needs::config, kSetUp};
}

Command shims_command(Said& said) {
  return {"install-shims", "make a directory of compilers that go through kache",
          "Makes links to kache in DIR that are called cc, c++, gcc, g++, clang and clang++ (and ar and ranlib); DIR goes first on "
          "PATH. What bears these names already stays, and the status is 1, unless it is to be replaced.\n\n"
          "A shim does not find what `kache cc` stored: gcc looks up its own name along PATH, and finds another program there.",
          {{"dir", "DIR", "the directory", &said.shims.dir, {}, FlagKind::required},
           {"--force", "", "replace what bears their names", &said.shims.force},
           {"--archives", "", "ar and ranlib too", &said.shims.archives}},
          [&](const CommandContext& context) { return run_install_shims(context, said.shims); },
          Needs::config, kSetUp};
}

Command cargo_command(Said& said) {
  return {"cargo", "run cargo with its compiles going through kache",
          "For once, without setting anything up. The cargo is $KACHE_REAL_CARGO, $CARGO or the one on PATH; its status is the status.",
          {{"arguments", "ARGS", "for cargo, behind --", &said.cargo, {}, FlagKind::rest}},
          [&](const CommandContext& context) { return run_cargo(context, said.cargo); },
          Needs::nothing, kSetUp};
}

Command doctor_command(Said& said) {
  return {"doctor", "is kache set up well, and is the store sound",
          "Says which compilers of Rust and C there are, their versions, and whether what they read is recorded or taken by their "
          "word (declared mode); and what sends builds through kache: RUSTC_WRAPPER, CC, CXX, CMAKE_C_COMPILER_LAUNCHER, "
          "CMAKE_CXX_COMPILER_LAUNCHER, a CMakeCache.txt in the working directory, shims on PATH. BAD is an issue, - is worth "
          "knowing, and an arrow names the next step.\n\nAn issue is no failure, unless --strict is given.",
          {{"--verify", "", "check every entry of the store instead", &said.doctor.verify},
           {"--checksums", "", "read every blob too (implies --verify)", &said.doctor.checksums},
           {"--repair", "", "remove what is broken (implies --verify)", &said.doctor.repair},
           {"--json", "", "for programs", &said.doctor.json},
           {"--strict", "", "status 3 where there is an issue", &said.doctor.strict}},
          [&](const CommandContext& context) { return run_doctor(context, said.doctor); },
          Needs::config, kSetUp};
}

// Of commands that are about the events of a time span, or of a build.
std::vector<Flag> choice_flags(EventChoice& choice) {
  return {{"--since", "SPAN", kSpan, &choice.since},
          {"--root", "DIR", "only this build tree", &choice.root},
          {"--last-build", "", "the last build instead of a time span", &choice.last_build},
          {"--build", "BUILD", "one build of `kache builds`, by number (1 is the last one) or id", &choice.build}};
}

std::vector<Flag> joined(std::vector<Flag> flags, const std::vector<Flag>& more) {
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

Command stats_command(Said& said) {
  return {"stats", "how full the store is and how well it serves", "",
          joined(choice_flags(said.stats), {{"--json", "", "for programs", &said.stats.json}}),
          [&](const CommandContext& context) { return run_stats(context, said.stats); },
          Needs::config, kLook};
}

Command list_command(Said& said) {
  return {"list", "what is stored", "",
          {{"crate", "NAME", "only this crate, or source file of C, in detail", &said.list.crate},
           {"--sort", "ORDER", "of the rows", &said.list.sort, list_orders()},
           {"--json", "", "for programs", &said.list.json}},
          [&](const CommandContext& context) { return run_list(context, said.list); },
          Needs::config, kLook};
}

Command report_command(Said& said) {
  return {"report", "what happened in the last builds",
          "Failed compiles are the compiler's own answer; failed probes are those that configure or a build script only tried out; "
          "faults are results that kache could not keep or use, and cost a compile each.",
          joined({{"--format", "FORMAT", "of the report", &said.report.format, report_formats()}},
                 joined(choice_flags(said.report),
                        {{"-o,--output", "FILE", "write to this file", &said.report.output},
                         {"--top", "N", "how many units to name", &said.report.top},
                         {"--fail-under", "PERCENT", "status 3 where the hit rate is below this, and something could be cached", &said.report.fail_under},
                         {"--redact", "", "leave out directories and the values of variables", &said.report.redact}})),
          [&](const CommandContext& context) { return run_report(context, said.report); },
          Needs::config, kLook};
}

Command builds_command(Said& said) {
  return {"builds", "the builds that are recorded, newest first",
          "A build is what one cargo, make, ninja or CMake started, however many makes it starts itself; else what one script or "
          "terminal compiled without a pause of five minutes.",
          {{"--root", "DIR", "only of this build tree", &said.builds.root},
           {"--top", "N", "how many", &said.builds.top},
           {"--json", "", "for programs", &said.builds.json}},
          [&](const CommandContext& context) { return run_builds(context, said.builds); },
          Needs::config, kLook};
}

Command diff_command(Said& said) {
  return {"diff", "what one build did otherwise than another",
          "Which units newly missed and why, failed, took longer or shorter, came or went. Without names: the last build, and the one "
          "before it in the same tree.",
          {{"before", "BUILD", "the earlier one, by number or id of `kache builds`", &said.diff.before},
           {"after", "BUILD", "the later one; without: the last one", &said.diff.after},
           {"--root", "DIR", "only builds of this tree", &said.diff.root},
           {"--top", "N", "how many units to name in each list", &said.diff.top},
           {"--json", "", "for programs", &said.diff.json}},
          [&](const CommandContext& context) { return run_diff(context, said.diff); },
          Needs::config, kLook};
}

Command why_miss_command(Said& said) {
  return {"why-miss", "which file, variable or flag made a unit miss",
          "A crate goes by its name, a unit of C by its source file (deflate.c, or with its directory), a program or archive by its file.",
          {{"unit", "NAME", "a crate, a source file, a file that was made, or the first digits of a key", &said.why_miss.unit, {}, FlagKind::required},
           {"--json", "", "for programs", &said.why_miss.json}},
          [&](const CommandContext& context) { return run_why_miss(context, said.why_miss); },
          Needs::config, kLook};
}

Command explain_command(Said& said) {
  return {"explain", "where a file that a build made comes from",
          "The entry that it is of, when and in which build that was compiled, by which compiler, from which inputs, and whether the file "
          "is still what was stored. The status is 1 where the store knows nothing of it.",
          {{"file", "FILE", "an object, a library, a program", &said.explain.file, {}, FlagKind::required},
           {"--inputs", "", "name every input", &said.explain.inputs},
           {"--json", "", "for programs, with every input", &said.explain.json}},
          [&](const CommandContext& context) { return run_explain(context, said.explain); },
          Needs::config, kLook};
}

Command gc_command(Said& said) {
  return {"gc", "bring the store below its limits",
          "What is least worth goes first: compile time for each byte, discounted by how long nobody asked for it. What a publish may "
          "be using, and what is younger than an hour, stays. --dry-run decides in the same way, removes nothing, and says what would go "
          "and why, and how much of it the disk would really get back: what a target directory still shares does not count.",
          {{"--max-age", "SPAN", "drop what was not used for so long: 24h, 7d, 2w", &said.gc.max_age},
           {"--stale-schema", "", "drop only what another version of kache has keyed in another way", &said.gc.stale_schema},
           {"-n,--dry-run", "", "only say what would go", &said.gc.dry_run},
           {"--json", "", "for programs", &said.gc.json},
           {"--background", "", "say nothing", &said.gc.background, {}, FlagKind::hidden}},
          [&](const CommandContext& context) { return run_gc(context, said.gc); },
          Needs::config, kKeep};
}

Command purge_command(Said& said) {
  return {"purge", "remove everything, or one unit",
          "It says what would go and asks first. Where nobody can be asked, nothing goes without --yes, and the status is 2.",
          {{"--crate-name", "NAME", "only this crate or source file", &said.purge.unit},
           {"-n,--dry-run", "", "only say what would be removed", &said.purge.dry_run},
           {"-y,--yes", "", "do not ask", &said.purge.yes},
           {"--json", "", "for programs; with --yes or --dry-run", &said.purge.json}},
          [&](const CommandContext& context) { return run_purge(context, said.purge); },
          Needs::config, kKeep};
}

Words option_names(bool with_variables) {
  Words names;
  auto add = [&](const Option* table, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (!table[i].key.empty()) names.emplace_back(table[i].key);
      else if (with_variables) names.emplace_back(table[i].variable);
    }
  };
  add(options(), option_count());
  add(known_options(), known_option_count());
  return names;
}

constexpr const char* kKeys = "An option goes by its key (cache.local_max_size), by the last part of it where that is enough "
                              "(local_max_size), or by its variable (KACHE_MAX_SIZE).";

Command config_command(Said& said) {
  ConfigOptions& config = said.config;
  Flag json = {"--json", "", "for programs", &config.json};
  Flag file = {"--file", "FILE", "this file instead of the one in force", &config.file};
  auto key = [&](bool with_variables) {
    return Flag{"key", "KEY", "which option", &config.key, option_names(with_variables), FlagKind::required, true};
  };
  auto row = [&](const char* name, const char* summary, std::string details, std::vector<Flag> flags,
                 int (*run)(const CommandContext&, const ConfigOptions&), Needs needs) {
    return Command{name, summary, std::move(details), std::move(flags),
                   [&config, run](const CommandContext& context) { return run(context, config); }, needs, kSetUp};
  };
  Command command = row("config", "every setting, its value and where it comes from",
                        "A value comes from the environment, else from the one configuration file, else it is the default. The file is "
                        "$KACHE_CONFIG, else the nearest .kache.toml upwards from here, else ~/.config/kache/config.toml. kache-config(5) "
                        "has all options.\n\nWithout a command it opens an editor of them on the terminal; where there is none, it shows what "
                        "`kache config show` shows.",
                        {json}, run_config_editor, Needs::config);
  command.subcommands = {
      row("show", "every option, its value and where it comes from", "",
          {json, {"--origin", "", "with the line of the file, or the variable", &config.origin}}, run_config_show, Needs::config),
      row("get", "the value of one option", kKeys, {key(true), json}, run_config_get, Needs::config),
      row("set", "change the file",
          std::string("Changes this value in the configuration file and nothing else: comments, order, and keys that kache does not know "
                      "stay. The old file stays beside it. A file that can not be edited safely is left alone.\n\n") + kKeys +
              "\n\n  kache config set local_max_size 100GiB\n  kache config set cache.exclude '**/generated/**' '~/scratch/**'",
          {file, key(false), {"value", "VALUE", "one, or the items of a list; '' empties a list", &config.values, {}, FlagKind::rest}},
          run_config_set, Needs::config_quietly),
      row("unset", "take one option out of the file", kKeys, {file, key(false)}, run_config_unset, Needs::config_quietly),
      row("path", "the file that is read, or would be if it were there", "", {json}, run_config_path, Needs::config_quietly),
      row("check", "what is wrong with the file, and where",
          "Names file, line and column of each problem, and the key that may have been meant. The status is 1 where there is one. "
          "Without FILE the one in force is checked, and the variables too. A file called kache.toml is checked for the rules of a "
          "package (extra_inputs).",
          {{"file", "FILE", "another one than that in force", &config.file}, json}, run_config_check, Needs::config_quietly),
  };
  return command;
}

Command monitor_command(Said& said) {
  return {"monitor", "watch builds, the store and the build directories",
          "A screen with five tabs: what is compiled and restored, and what has been under way for long; build directories below the "
          "working directory; what is stored; what went to and came from a remote; what went past kache. The key b shows "
          "one build of several, w says why a unit was not a hit, and ? lists all keys.\n\n"
          "Where there is no terminal it prints once what it would show, and ends.",
          {{"--since", "SPAN", kSpan, &said.monitor.since},
           {"--no-mouse", "", "leave the mouse to the terminal, to select text; the key m does it too", &said.monitor.no_mouse}},
          [&](const CommandContext& context) { return run_monitor(context, said.monitor); },
          Needs::config_quietly, kLook};
}

Command clean_command(Said& said) {
  return {"clean", "remove target/ and other build directories",
          "Finds what cargo, CMake and Meson have built below the working directory, or below the DIRs, shows how much room each takes "
          "and how much of it would come back (what is shared with the store or another checkout would not), and lets you choose on a "
          "screen. Sources, and builds inside of them, stay. Dot-directories, node_modules, other file systems and links are passed "
          "over unless they are named.\n\nWithout a terminal, --yes or --dry-run is needed. The status is 1 when something could not "
          "be removed. The store is not touched: see kache gc.",
          {{"dir", "DIR", "where to look", &said.clean.dirs},
           {"-n,--dry-run", "", "only say what would be removed", &said.clean.dry_run},
           {"-y,--yes", "", "do not ask: remove all that is found", &said.clean.yes},
           {"--stale", "SPAN", "only what nothing was written to for so long: 12h, 14d", &said.clean.stale},
           {"--json", "", "for programs", &said.clean.json}},
          [&](const CommandContext& context) { return run_clean(context, said.clean); },
          Needs::config, kKeep};
}

Command daemon_command(Said& said) {
  DaemonOptions& daemon = said.daemon;
  Flag json = {"--json", "", "for programs", &daemon.json};
  Flag drain = {"--drain", "SECONDS", "how long it may take to send what is waiting", &daemon.drain};
  Flag manager = {"--manager", "NAME", "another one than that of this system", &daemon.manager, service_manager_names()};
  auto row = [&](const char* name, const char* summary, std::string details, std::vector<Flag> flags,
                 int (*run)(const CommandContext&, const DaemonOptions&)) {
    return Command{name, summary, std::move(details), std::move(flags),
                   [&daemon, run](const CommandContext& context) { return run(context, daemon); }, Needs::config, kShare};
  };
  Command command = row("daemon", "the helper that talks to remotes",
                        "It is started when a compile first needs it, where a remote is configured, and only there. Builds work the "
                        "same without it, but for what other machines could have given. Without a command it shows its status.",
                        {json}, run_daemon_status);
  command.subcommands = {
      row("status", "whether it runs, and how it fares", "The status is 1 where none is running.", {json}, run_daemon_status),
      row("run", "be the daemon, in the foreground", "", {{"--on-demand", "", "started by a compile", &daemon.on_demand, {}, FlagKind::hidden}},
          run_daemon_server),
      row("start", "start it in the background", "", {}, run_daemon_start),
      row("stop", "let it send what is waiting, and end it", "What could not be sent stays in the store and is sent by the next one.", {drain},
          run_daemon_stop),
      row("restart", "end it and start another one", "", {drain}, run_daemon_restart),
      row("log", "the end of its log", "",
          {{"-f,--follow", "", "and what is added to it", &daemon.follow}, {"-n,--lines", "N", "how much of it", &daemon.lines}}, run_daemon_log),
      row("install", "have it started at login", "As a user unit of systemd, or as an agent of launchd.",
          {manager, {"--print", "", "only show the file that would be written", &daemon.print}}, run_daemon_install),
      row("uninstall", "take that back", "", {manager}, run_daemon_uninstall),
  };
  return command;
}

constexpr const char* kSpaceHelp = "which builds belong together; KACHE_NAMESPACE, else the origin of the git repository";

Command sync_command(Said& said) {
  SyncOptions& sync = said.sync;
  return {"sync", "bring the store and the remote to the same state",
          "Pulls what recorded builds of this project need and what is not here, and pushes what the builds of this tree have made and "
          "what is not there. Needs no daemon. The status is 1 when something failed, and 2 when no remote can be used.",
          {{"--pull", "", "only pull", &sync.pull},
           {"--push", "", "only push", &sync.push},
           {"--all", "", "everything that is there, and everything that is here", &sync.all},
           {"--workspace", "", "only members of the cargo workspace here", &sync.workspace},
           {"--manifest-path", "FILE", "of that workspace", &sync.manifest_path},
           {"--namespace", "NAME", kSpaceHelp, &sync.space},
           {"-n,--dry-run", "", "only say what would be moved", &sync.dry_run},
           {"--allow-partial", "", "status 0 even where something failed", &sync.allow_partial},
           {"--json", "", "for programs", &sync.json}},
          [&](const CommandContext& context) { return run_sync(context, sync); },
          Needs::config, kShare};
}

Command save_manifest_command(Said& said) {
  return {"save-manifest", "keep in the remote what the last build asked for",
          "So that another machine can fetch it before it asks: see kache prefetch. The daemon does the same by itself when a build has "
          "ended that compiled something.",
          {{"--namespace,--manifest-key", "NAME", kSpaceHelp, &said.sync.space}, {"--all", "", "of the last build anywhere, not only here", &said.sync.all}},
          [&](const CommandContext& context) { return run_save_manifest(context, said.sync); },
          Needs::config, kShare};
}

Command prefetch_command(Said& said) {
  return {"prefetch", "fetch what a build here will ask for",
          "By what the last builds of this project asked for, of this branch first. Within the budgets cache.prefetch_max_keys, "
          "prefetch_max_bytes and prefetch_deadline_secs.",
          {{"--namespace", "NAME", kSpaceHelp, &said.sync.space}, {"-n,--dry-run", "", "only say what would be fetched", &said.sync.dry_run}},
          [&](const CommandContext& context) { return run_prefetch(context, said.sync); },
          Needs::config, kShare};
}

Command remote_command(Said& said) {
  RemoteOptions& remote = said.remote;
  Flag json = {"--json", "", "for programs", &remote.json};
  auto row = [&](const char* name, const char* summary, std::string details, std::vector<Flag> flags,
                 int (*run)(const CommandContext&, const RemoteOptions&)) {
    return Command{name, summary, std::move(details), std::move(flags),
                   [&remote, run](const CommandContext& context) { return run(context, remote); }, Needs::config, kShare};
  };
  Command command = row("remote", "look at the remote and keep it small", "Without a command it shows how much is there.", {json}, run_remote_stats);
  command.subcommands = {
      row("check", "whether each remote can be written, read and cleaned, and how fast", "", {json}, run_remote_check),
      row("stats", "how much is there", "", {json}, run_remote_stats),
      row("ls", "what is there", "", {{"--kind", "KIND", "of objects", &remote.kind, {"records", "traces", "blobs", "sessions", "packs", "control"}}, json}, run_remote_ls),
      row("gc", "remove what nobody has asked for lately",
          "Results stay that were written within --max-age, or that a build recorded in that time asked for. It may run beside builds; "
          "two at a time exclude each other.",
          {{"--max-age", "SPAN", "what is younger stays", &remote.max_age},
           {"--grace", "SPAN", "what is younger than this is not touched, whatever leads to it", &remote.grace},
           {"-n,--dry-run", "", "only say what would be removed", &remote.dry_run}, json},
          run_remote_gc),
      row("verify", "compile again what came from the remote, and compare",
          "Of the hits on results of the remote, a sample of cache.remote.verify percent is noted. They are compiled here into a "
          "directory of kache's own; the daemon does it when the machine has nothing else to do, and this command does it now. What "
          "differs is taken out of the store, and is not taken from a remote again. The status is 1 while there is such a result, until "
          "--forget.",
          {{"-n,--dry-run", "", "only say what waits to be compiled, and what was found", &remote.dry_run},
           {"--forget", "", "believe the remote again, whatever was found", &remote.forget},
           {"--idle", "", "for the daemon", &remote.idle, {}, FlagKind::hidden}, json},
          run_remote_verify),
  };
  return command;
}

Command keys_command(Said& said) {
  KeysOptions& keys = said.keys;
  auto row = [&](const char* name, const char* summary, std::string details, std::vector<Flag> flags,
                 int (*run)(const CommandContext&, const KeysOptions&)) {
    return Command{name, summary, std::move(details), std::move(flags),
                   [&keys, run](const CommandContext& context) { return run(context, keys); }, Needs::config_quietly, kShare};
  };
  Command command = row("keys", "sign what is shared, and say whom to believe",
                        "Results are signed with remote.sign_with, and where remote.trusted_keys names keys, nothing else is taken from a "
                        "remote. Without a command it shows the public key of remote.sign_with.",
                        {}, run_keys_show);
  command.subcommands = {
      row("generate", "make a key", "Prints the public key. The secret one is in the file, which nobody else may read.",
          {{"file", "FILE", "where to put the secret key; ~/.config/kache/signing.key", &keys.file},
           {"--comment", "TEXT", "kept with it", &keys.comment}},
          run_keys_generate),
      row("show", "the public key of a secret one", "", {{"file", "FILE", "the secret key; remote.sign_with", &keys.file}}, run_keys_show),
  };
  return command;
}

Command completions_command(Said& said) {
  return {"completions", "a script for the shell that completes commands and flags",
          "  bash: source <(kache completions bash)\n"
          "  zsh:  source <(kache completions zsh), behind compinit\n"
          "  fish: kache completions fish | source\n\n"
          "Put the line into ~/.bashrc, ~/.zshrc or ~/.config/fish/config.fish. ./install puts the scripts where these shells look for "
          "them, below share/.",
          {{"shell", "SHELL", "which one", &said.shell, completion_shells(), FlagKind::required}},
          [&](const CommandContext&) {
            std::fputs(completions(commands(said), said.shell).c_str(), stdout);
            return 0;
          },
          Needs::nothing, kSetUp};
}

}  // namespace

std::vector<Command> commands(Said& said) {
  return {init_command(said), cargo_command(said), doctor_command(said), config_command(said), shims_command(said),
          completions_command(said), stats_command(said), list_command(said), report_command(said), builds_command(said),
          diff_command(said), why_miss_command(said), explain_command(said), monitor_command(said), gc_command(said),
          purge_command(said), clean_command(said), sync_command(said), prefetch_command(said),
          save_manifest_command(said), remote_command(said), daemon_command(said), keys_command(said)};
}

}  // namespace kache
