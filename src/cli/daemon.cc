#include <csignal>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/path.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/remote_state.h"
#include "cli/service_manager.h"
#include "daemon/server.h"
#include "wrapper/daemon_link.h"
#include "wrapper/process.h"

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

int64_t in_seconds(const CommandContext& context, int64_t seconds) { return context.clock.monotonic_ns() + seconds * kSecond; }

Result<DaemonLink> connect(const CommandContext& context) {
  return DaemonLink::connect(daemon_socket(context.config, context.env), context.clock, in_seconds(context, 5));
}

std::string service_file(const CommandContext& context, const ServiceManager& manager) {
  std::string dir = manager.dir(context.env);
  return dir.empty() ? "" : join_path(dir, manager.file);
}

std::string text_of(const nlohmann::ordered_json& json, const char* name) {
  auto field = json.find(name);
  if (field == json.end()) return "";
  return field->is_string() ? printable(field->get<std::string>()) : field->dump();
}

void print_remotes(const nlohmann::ordered_json& status) {
  auto remotes = status.find("remotes");
  if (remotes == status.end()) return;
  for (const auto& remote : *remotes) {
    if (remote.contains("error")) {
      std::printf("  Remote:   can not be used: %s\n", text_of(remote, "error").c_str());
      continue;
    }
    bool is_ill = remote.value("reads_suspended", false) || remote.value("writes_suspended", false);
    std::printf("  Remote:   %s%s\n", text_of(remote, "description").c_str(), is_ill ? " (does not answer; asked again soon)" : "");
  }
}

void print_status(const CommandContext& context, const nlohmann::ordered_json& status) {
  const ServiceManager& manager = *find_service_manager("");
  std::string file = service_file(context, manager);
  bool is_installed = !file.empty() && context.fs.stat(file).ok();
  bool is_running = status.value("running", false);
  std::printf("  kache:    v%s\n", KACHE_VERSION);
  std::printf("  Service:  %s\n", is_installed ? ("installed (" + file + ")").c_str() : "not installed");
  std::printf("  Daemon:   %s\n", is_running ? ("running, pid " + text_of(status, "pid")).c_str() : "not running");
  std::printf("  Socket:   %s\n", daemon_socket(context.config, context.env).c_str());
  std::printf("  Logs:     %s\n", (context.layout.root() + "/daemon.log").c_str());
  if (!is_running) return;
  std::printf("  Version:  v%s\n", text_of(status, "version").c_str());
  print_remotes(status);
  std::printf("  Fetched:  %s results, %s\n", text_of(status, "downloads_completed").c_str(), human_size(status.value("bytes_downloaded", uint64_t{0})).c_str());
  std::printf("  Sent:     %s results, %s; %s waiting, %s given up\n", text_of(status, "uploads_completed").c_str(),
              human_size(status.value("bytes_uploaded", uint64_t{0})).c_str(), text_of(status, "pending_uploads").c_str(),
              text_of(status, "uploads_failed").c_str());
}

// One word of what a command is, for messages.
std::string spelled(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& word : command) text += (text.empty() ? "" : " ") + word;
  return text;
}

bool run_all(const CommandContext& context, const std::vector<std::vector<std::string>>& commands) {
  for (const std::vector<std::string>& command : commands) {
    std::fflush(stdout);
    Result<ProcessResult> done = system_processes().run(command, context.env, nullptr);
    if (!done.ok()) return fail(done.error().message), false;
    if (!done->succeeded()) return fail(spelled(command) + " failed"), false;
  }
  return true;
}

const ServiceManager* chosen_manager(const DaemonOptions& options) { return find_service_manager(options.manager); }

}  // namespace

int run_daemon_status(const CommandContext& context, const DaemonOptions& options) {
  nlohmann::ordered_json status = {{"running", false}, {"socket", daemon_socket(context.config, context.env)}};
  Result<DaemonLink> link = connect(context);
  if (link.ok()) {
    nlohmann::ordered_json told = daemon_status(context);
    if (told.is_null()) return fail("daemon: it does not answer; kache daemon restart");
    status = std::move(told);
  } else if (link.code() != ErrorCode::not_found) {
    return fail("daemon: " + link.error().message);
  }
  if (options.json) {
    nlohmann::ordered_json json = {{"schema_version", 1}, {"command", "daemon status"}};
    json.update(status);
    std::puts(to_text(json).c_str());
  } else {
    print_status(context, status);
  }
  return status.value("running", false) ? 0 : 1;
}

int run_daemon_server(const CommandContext& context, const DaemonOptions& options) {
  std::vector<std::string> words = {"daemon", "run"};
  if (options.on_demand) words.push_back("--on-demand");
  Status ended = run_daemon({context.fs, context.clock, context.env, context.config, context.layout, context.tool, words});
  if (ended.ok()) return 0;
  if (ended.code() == ErrorCode::busy) {
    if (!options.on_demand) std::fprintf(stderr, "kache: another daemon serves %s already\n", context.layout.root().c_str());
    return 0;
  }
  if (options.on_demand) note_silent(context.fs, context.layout);  // whoever waits for it need not
  return fail("daemon: " + ended.error().message);
}

int run_daemon_start(const CommandContext& context, const DaemonOptions&) {
  Status store = prepare_store(context.fs, context.layout);
  if (!store.ok()) return fail(store.error().message);
  if (connect(context).ok()) return std::fputs("daemon is running already\n", stderr), 0;
  DaemonStart start{context.fs, context.clock, context.layout, context.env, context.tool, daemon_socket(context.config, context.env)};
  Result<DaemonLink> link = connect_or_start(start, in_seconds(context, 8));
  if (!link.ok()) return fail("the daemon did not start: " + link.error().message + "; see " + context.layout.root() + "/daemon.log");
  if (daemon_status(context).is_null()) return fail("the daemon does not answer");
  std::fputs("daemon started\n", stderr);
  return 0;
}

// Asks it to end, and waits until it has. What is still to be sent gets so long.
static Status stop_daemon(const CommandContext& context, size_t drain_seconds) {
  DaemonLink link = KACHE_TRY(connect(context));
  int64_t deadline = in_seconds(context, static_cast<int64_t>(drain_seconds) + 10);
  Result<DaemonFrame> ended = link.ask(MessageType::stop, encode(StopRequest{static_cast<uint32_t>(drain_seconds * 1000)}), deadline);
  if (ended.ok() && ended->type == MessageType::done) return Ok{};
  if (ended.ok()) return Error{ErrorCode::corrupt, 0, "the daemon does not understand"};
  // It does not listen to us: of another version, or stuck. Its pid is what the kernel says of the other end of the socket.
  Result<std::string> program = context.fs.read_link("/proc/" + std::to_string(link.daemon_pid()) + "/exe");
  bool is_ours = link.daemon_pid() > 1 && program.ok() && base_name(*program).starts_with("kache-tool");
  if (!is_ours) return Error{ErrorCode::denied, 0, "process " + std::to_string(link.daemon_pid()) + ", which listens on the socket, is none of kache's"};
  for (int signal : {SIGTERM, SIGKILL}) {
    if (::kill(link.daemon_pid(), signal) != 0) return Ok{};
    for (int i = 0; i < 20 && ::kill(link.daemon_pid(), 0) == 0; ++i) {
      timespec pause{0, 100'000'000};
      ::nanosleep(&pause, nullptr);
    }
    if (::kill(link.daemon_pid(), 0) != 0) return Ok{};
  }
  return Error{ErrorCode::busy, 0, "process " + std::to_string(link.daemon_pid()) + " does not end"};
}

int run_daemon_stop(const CommandContext& context, const DaemonOptions& options) {
  Status stopped = stop_daemon(context, options.drain);
  if (!stopped.ok() && stopped.code() == ErrorCode::not_found) return std::fputs("no daemon is running\n", stderr), 0;
  if (!stopped.ok()) return fail("daemon: " + stopped.error().message);
  std::fputs("daemon stopped\n", stderr);
  return 0;
}

int run_daemon_restart(const CommandContext& context, const DaemonOptions& options) {
  Status stopped = stop_daemon(context, options.drain);
  if (!stopped.ok() && stopped.code() != ErrorCode::not_found) return fail("daemon: " + stopped.error().message);
  return run_daemon_start(context, options);
}

int run_daemon_log(const CommandContext& context, const DaemonOptions& options) {
  std::string path = context.layout.root() + "/daemon.log";
  if (!context.fs.stat(path).ok()) return fail("no log yet; `kache daemon start` starts a daemon");
  std::vector<std::string> tail = {"tail", "-n", std::to_string(options.lines)};
  if (options.follow) tail.push_back("-F");
  tail.push_back(path);
  Error error = exec_program(tail, context.env);
  return fail(error.message);
}

int run_daemon_install(const CommandContext& context, const DaemonOptions& options) {
  const ServiceManager* manager = chosen_manager(options);
  std::string file = service_file(context, *manager), contents = manager->contents(context.kache);
  if (options.print) return std::fputs(contents.c_str(), stdout), 0;
  if (file.empty()) return fail("HOME is not set");
  bool was_there = context.fs.stat(file).ok();
  Status written = make_dirs(context.fs, std::string(dir_name(file)), 0755);
  if (written.ok()) written = replace_file(context.fs, file, contents, 0644);
  if (!written.ok()) return fail(written.error().message);
  if (was_there) std::puts("Existing service found - upgrading in place...");
  if (!run_all(context, manager->start(file))) {
    std::fprintf(stderr, "  the file is there: %s\n", file.c_str());
    return 1;
  }
  std::printf("Service installed and started.\n  %s: %s\n  logs: %s\n\n", manager->name == "systemd" ? "unit" : "plist", file.c_str(),
              (context.layout.root() + "/daemon.log").c_str());
  std::puts("It starts when you log in, and again when it fails.");
  if (manager->name == "systemd") std::puts("To have it run without a login: loginctl enable-linger");
  return 0;
}

int run_daemon_uninstall(const CommandContext& context, const DaemonOptions& options) {
  const ServiceManager* manager = chosen_manager(options);
  std::string file = service_file(context, *manager);
  if (file.empty() || !context.fs.lstat(file).ok()) {
    std::printf("Service is not installed (no %s found).\n", manager->name == "systemd" ? "unit file" : "plist");
    return 0;
  }
  bool stopped = run_all(context, manager->stop(file));
  Status removed = context.fs.unlink(file);
  if (!removed.ok()) return fail(removed.error().message);
  std::printf("Service stopped and removed.\n  removed: %s\n", file.c_str());
  return stopped ? 0 : 1;
}

}  // namespace kache
