#include "remote/credential_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/path.h"
#include "remote/limits.h"

namespace kache {
namespace {

constexpr size_t kMaxOutput = 64 * 1024;
constexpr int kLookMs = 50;  // how often the clock and `cancelled` are looked at

// The program that a name means to `env`, whose PATH is not ours.
std::string find_program(const std::string& name, const Env& env) {
  if (name.find('/') != std::string::npos) return name;
  std::string_view rest = env.get_or_empty("PATH");
  while (!rest.empty()) {
    size_t end = std::min(rest.find(':'), rest.size());
    std::string path = join_path(rest.substr(0, end), name);
    if (end > 0 && ::access(path.c_str(), X_OK) == 0) return path;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return name;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

Result<pid_t> start(const std::vector<std::string>& argv, const Env& env, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);  // so that what it starts ends with it
  pid_t pid = 0;
  std::string program = find_program(argv[0], env);
  int failed = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, pointers(argv).data(), pointers(env.entries()).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return error_from_errno(failed, argv[0]);
  return pid;
}

// Until its end of the pipe is closed.
Result<std::string> read_output(int pipe, const Limits& limits) {
  std::string output;
  for (;;) {
    KACHE_TRY(still_wanted(limits));
    pollfd waiting{pipe, POLLIN, 0};
    if (::poll(&waiting, 1, kLookMs) <= 0) continue;
    char buffer[4096];
    ssize_t count = ::read(pipe, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return error_from_errno(errno, "its output");
    if (count == 0) return output;
    output.append(buffer, static_cast<size_t>(count));
    if (output.size() > kMaxOutput) return Error{ErrorCode::too_large, 0, "it prints more than 64 KiB"};
  }
}

// How it ended, as waitpid gives it. A program may close its output and go on.
Result<int> wait_for(pid_t child, const Limits& limits) {
  for (;;) {
    int status = 0;
    pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR) return error_from_errno(errno, "waitpid");
    KACHE_TRY(still_wanted(limits));
    ::poll(nullptr, 0, 2);
  }
}

}  // namespace

Result<std::vector<std::string>> split_command(std::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (quote == 0 && (c == ' ' || c == '\t')) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (c == quote && quote != 0) quote = 0;
    else if (quote == 0 && (c == '"' || c == '\'')) quote = c;
    else if (c == '\\' && quote != '\'' && i + 1 < text.size()) words.back() += text[++i];
    else words.back() += c;
  }
  if (quote != 0) return Error{ErrorCode::invalid, 0, "a quote that is not closed"};
  if (words.empty() || words[0].empty()) return Error{ErrorCode::invalid, 0, "no program"};
  return words;
}

Result<std::string> run_credential_process(const std::vector<std::string>& argv, const Env& env, const Limits& limits) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return error_from_errno(errno, "pipe");
  Result<pid_t> child = start(argv, env, ends[1]);
  ::close(ends[1]);
  Result<std::string> output = child.ok() ? read_output(ends[0], limits) : child.error();
  ::close(ends[0]);
  if (!child.ok()) return output;
  Result<int> status = output.ok() ? wait_for(*child, limits) : output.error();
  if (!status.ok()) {
    ::kill(-*child, SIGKILL);
    while (::waitpid(*child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return std::move(status).error().in(argv[0]);
  }
  if (*status == 0) return output;
  int code = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
  return Error{ErrorCode::denied, 0, argv[0] + ": failed with status " + std::to_string(code)};
}

}  // namespace kache
