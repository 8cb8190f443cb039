#include "wrapper/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

namespace kache {
namespace {

volatile sig_atomic_t g_child = 0;  // as for kill: a group is negative

void pass_on(int signal) {
  if (g_child != 0) ::kill(static_cast<pid_t>(g_child), signal);
}

bool g_file_size_signal_was_default = false;

void restore_file_size_signal() {
  if (g_file_size_signal_was_default) ::signal(SIGXFSZ, SIG_DFL);
}

constexpr int kPassedOn[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// While the child runs, signals meant for us are for it. Ignored ones stay ignored. Until it is known, and in the child until it is
// itself, they wait: there is nobody to pass them on to.
class SignalForwarding {
 public:
  SignalForwarding() {
    let_wait(&mask_);
    for (size_t i = 0; i < std::size(kPassedOn); ++i) {
      ::sigaction(kPassedOn[i], nullptr, &old_[i]);
      if (old_[i].sa_handler == SIG_IGN) continue;
      struct sigaction action = {};
      action.sa_handler = pass_on;
      action.sa_flags = SA_RESTART;
      ::sigaction(kPassedOn[i], &action, nullptr);
    }
  }
  ~SignalForwarding() {
    let_wait(nullptr);
    g_child = 0;
    for (size_t i = 0; i < std::size(kPassedOn); ++i) ::sigaction(kPassedOn[i], &old_[i], nullptr);
    let_through();
  }

  // `child`: as for kill.
  void are_for(pid_t child) {
    g_child = child;
    let_through();
  }
  void let_through() const { ::sigprocmask(SIG_SETMASK, &mask_, nullptr); }

 private:
  static void let_wait(sigset_t* before) {
    sigset_t ours;
    sigemptyset(&ours);
    for (int signal : kPassedOn) sigaddset(&ours, signal);
    ::sigprocmask(SIG_BLOCK, &ours, before);
  }

  struct sigaction old_[std::size(kPassedOn)];
  sigset_t mask_;
};

// In a child: what was ignored stays so, everything else is as it is at the start of a program.
void reset_signals() {
  for (int signal : kPassedOn) {
    struct sigaction action;
    ::sigaction(signal, nullptr, &action);
    if (action.sa_handler != SIG_IGN) ::signal(signal, SIG_DFL);
  }
}

// What a child does first after the fork: it must not outlive us (nobody would know what a compiler goes on writing).
void begin_child(pid_t parent, const SignalForwarding& forwarding) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  reset_signals();
  forwarding.let_through();
}

// How it ended, as waitpid gives it.
int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

// One stream of the child: forwarded as it comes, and kept.
struct Stream {
  int from = -1;
  int to = -1;
  std::string* kept = nullptr;

  // False at the end.
  bool pump() {
    char buffer[64 << 10];
    ssize_t n = ::read(from, buffer, sizeof buffer);
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    if (n == 0) return false;
    std::string_view bytes(buffer, static_cast<size_t>(n));
    if (to >= 0) write_fully(to, bytes);
    kept->append(bytes);
    return true;
  }
};

class SystemProcesses final : public ProcessRunner {
 public:
  Result<ProcessResult> run(const std::vector<std::string>& argv, const Env& env, Ticker* ticker) override {
    return run(argv, env, {1, 2, ticker, 0});
  }
  Result<ProcessResult> run_quietly(const std::vector<std::string>& argv, const Env& env, int64_t limit_ns) override {
    return run(argv, env, {-1, -1, nullptr, limit_ns});
  }

 private:
  struct Manner {
    int to_out = -1, to_err = -1;  // where the child's output goes on to; -1: nowhere
    Ticker* ticker = nullptr;
    int64_t limit_ns = 0;
  };

  static Result<ProcessResult> run(const std::vector<std::string>& argv, const Env& env, const Manner& manner) {
    int out[2], err[2], failed[2];
    if (::pipe2(out, O_CLOEXEC) != 0) return error_from_errno(errno, "pipe");
    if (::pipe2(err, O_CLOEXEC) != 0 || ::pipe2(failed, O_CLOEXEC) != 0) return error_from_errno(errno, "pipe");

    std::vector<char*> argv_pointers = pointers(argv), env_pointers = pointers(env.entries());
    int64_t started = system_clock().monotonic_ns();
    pid_t parent = ::getpid();
    SignalForwarding forwarding;
    pid_t child = ::fork();
    if (child < 0) return error_from_errno(errno, "fork");
    if (child == 0) {
      begin_child(parent, forwarding);
      if (manner.limit_ns > 0) ::setpgid(0, 0);
      restore_file_size_signal();
      ::dup2(out[1], 1);
      ::dup2(err[1], 2);
      ::execvpe(argv_pointers[0], argv_pointers.data(), env_pointers.data());
      int error = errno;
      (void)!::write(failed[1], &error, sizeof error);
      ::_exit(127);
    }
    if (manner.limit_ns > 0) ::setpgid(child, child);  // whichever of us comes first
    forwarding.are_for(manner.limit_ns > 0 ? -child : child);
    ::close(out[1]);
    ::close(err[1]);
    ::close(failed[1]);
    int exec_error = 0;
    bool exec_failed = ::read(failed[0], &exec_error, sizeof exec_error) == sizeof exec_error;
    ::close(failed[0]);

    ProcessResult result;
    Stream streams[2] = {{out[0], manner.to_out, &result.standard_output}, {err[0], manner.to_err, &result.standard_error}};
    bool is_in_time = pump_all(streams, started, child, manner) && is_over_in_time(child, started, manner.limit_ns);
    if (!is_in_time) ::kill(-child, SIGKILL);
    result.status = wait_for(child);
    ::close(out[0]);
    ::close(err[0]);
    if (exec_failed) return error_from_errno(exec_error, argv[0]);
    if (!is_in_time) return Error{ErrorCode::timed_out, 0, argv[0] + ": has not ended after " + std::to_string(manner.limit_ns / 1'000'000'000) + " s"};
    result.elapsed_ns = system_clock().monotonic_ns() - started;
    return result;
  }

  static bool has_ended(pid_t child) {
    siginfo_t info = {};
    ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid == child;
  }

  // It may have closed its streams and go on.
  static bool is_over_in_time(pid_t child, int64_t started, int64_t limit_ns) {
    if (limit_ns == 0) return true;
    while (!has_ended(child)) {
      if (system_clock().monotonic_ns() - started > limit_ns) return false;
      ::poll(nullptr, 0, 20);
    }
    return true;
  }

  // Until both streams have ended, or the child has ended and a grandchild that stays holds them open. False: it takes too long.
  static bool pump_all(Stream (&streams)[2], int64_t started, pid_t child, const Manner& manner) {
    bool open[2] = {true, true};
    int64_t last_tick = started;
    bool child_ended = false;
    while (open[0] || open[1]) {
      pollfd fds[2] = {{open[0] ? streams[0].from : -1, POLLIN, 0}, {open[1] ? streams[1].from : -1, POLLIN, 0}};
      int ready = ::poll(fds, 2, child_ended ? 0 : 1000);
      if (ready < 0 && errno != EINTR) return true;
      if (ready > 0) {
        for (int i = 0; i < 2; ++i) {
          if (open[i] && fds[i].revents) open[i] = streams[i].pump();
        }
      }
      if (ready == 0) {
        if (child_ended) return true;
        child_ended = has_ended(child);
      }
      int64_t now = system_clock().monotonic_ns();
      if (manner.limit_ns > 0 && now - started > manner.limit_ns) return false;
      if (manner.ticker && now - last_tick >= 1'000'000'000) {
        last_tick = now;
        manner.ticker->tick(now - started, child);
      }
    }
    return true;
  }
};

}  // namespace

void write_fully(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      pollfd wait = {fd, POLLOUT, 0};
      ::poll(&wait, 1, -1);
      continue;
    }
    if (n < 0) return;  // nobody reads any more; the compile itself must go on
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

ProcessRunner& system_processes() {
  static SystemProcesses runner;
  return runner;
}

Result<int> run_in_child(const std::function<int()>& work) {
  SignalForwarding forwarding;
  pid_t parent = ::getpid();
  pid_t child = ::fork();
  if (child < 0) return error_from_errno(errno, "fork");
  if (child == 0) {
    begin_child(parent, forwarding);
    end_like(work());
  }
  forwarding.are_for(child);
  return wait_for(child);
}

Error exec_program(const std::vector<std::string>& argv, const Env& env) {
  std::vector<char*> argv_pointers = pointers(argv), env_pointers = pointers(env.entries());
  restore_file_size_signal();
  ::execvpe(argv_pointers[0], argv_pointers.data(), env_pointers.data());
  return error_from_errno(errno, argv[0]);
}

Status start_detached(const std::vector<std::string>& argv, const Env& env) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  for (int fd = 0; fd < 3; ++fd) ::posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
#ifdef __GLIBC__
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
#endif
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  std::vector<char*> argv_pointers = pointers(argv), env_pointers = pointers(env.entries());
  pid_t child = 0;
  int failed = ::posix_spawn(&child, argv_pointers[0], &actions, &attributes, argv_pointers.data(), env_pointers.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed) return error_from_errno(failed, argv.front());
  return Ok{};
}

void survive_file_size_limit() {
  struct sigaction old = {};
  g_file_size_signal_was_default = ::sigaction(SIGXFSZ, nullptr, &old) == 0 && old.sa_handler == SIG_DFL;
  if (g_file_size_signal_was_default) ::signal(SIGXFSZ, SIG_IGN);
}

int exit_code_of(int status) {
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  return 128 + (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

void end_like(int status) {
  if (WIFSIGNALED(status)) {
    rlimit none = {0, 0};
    ::setrlimit(RLIMIT_CORE, &none);  // the child's core is the interesting one
    ::signal(WTERMSIG(status), SIG_DFL);
    ::raise(WTERMSIG(status));
  }
  ::_exit(exit_code_of(status));
}

}  // namespace kache
