#include "record/recorder_check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <unordered_map>
#include <unordered_set>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/path.h"
#include "record/recording.h"

namespace kache {
namespace {

// What each language's compiler is given: a source, and arguments to do little with it.
struct Probe {
  const char* source_name;
  const char* source;
  std::vector<std::string> (*arguments)(const std::string& source, const std::string& output);
};

const Probe& probe_for(SelfTest::Language language) {
  static const Probe rust = {"probe.rs", "#![no_std]\npub const PROBE: u8 = 0;\n",
                             [](const std::string& source, const std::string& output) {
                               return std::vector<std::string>{"--crate-name", "probe", "--crate-type", "lib",
                                                               "--emit", "metadata=" + output, source};
                             }};
  static const Probe c = {"probe.c", "int probe;\n", [](const std::string& source, const std::string& output) {
                            return std::vector<std::string>{"-E", source, "-o", output};
                          }};
  static const Probe archiver = {"probe.txt", "", [](const std::string& source, const std::string& output) {
                                   return std::vector<std::string>{"rc", output, source};
                                 }};
  static const Probe ranlib = {"probe.a", "!<arch>\n",
                               [](const std::string& source, const std::string&) { return std::vector<std::string>{source}; }};
  switch (language) {
    case SelfTest::ranlib: return ranlib;
    case SelfTest::rust: return rust;
    case SelfTest::c: return c;
    case SelfTest::archiver: return archiver;
  }
  return c;
}

// A directory that removes itself with what a compiler may have left in it.
class ScratchDir {
 public:
  static Result<ScratchDir> create(const std::string& parent) {
    std::string path = temporary_beside(join_path(parent, "self-test"));
    KACHE_TRY(posix_file_system().make_dir(path, 0700));
    return ScratchDir(path);
  }
  ScratchDir(ScratchDir&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  ScratchDir& operator=(ScratchDir&&) = delete;
  ~ScratchDir() {
    if (!path_.empty()) remove(path_);
  }
  const std::string& path() const { return path_; }

 private:
  explicit ScratchDir(std::string path) : path_(std::move(path)) {}
  static void remove(const std::string& dir) {
    FileSystem& fs = posix_file_system();
    if (Result<std::vector<DirEntry>> entries = fs.list(dir); entries.ok()) {
      for (const DirEntry& entry : *entries) {
        std::string path = join_path(dir, entry.name);
        Result<FileStat> st = fs.lstat(path);
        if (st.ok() && st->is_dir()) remove(path);
        else (void)fs.unlink(path);
      }
    }
    (void)fs.remove_dir(dir);
  }
  std::string path_;
};

void sleep_ms(int ms) {
  timespec pause = {0, ms * 1'000'000L};
  ::nanosleep(&pause, nullptr);
}

// Waits; kills the process group when it takes too long.
void wait_or_kill(pid_t pid, int timeout_ms) {
  int64_t deadline = system_clock().monotonic_ns() + timeout_ms * int64_t{1'000'000};
  int status;
  for (int pause = 1;; pause = pause < 20 ? pause + 1 : 20) {
    pid_t done = ::waitpid(pid, &status, WNOHANG);
    if (done == pid || (done < 0 && errno != EINTR)) return;
    if (system_clock().monotonic_ns() > deadline) break;
    sleep_ms(pause);
  }
  ::kill(-pid, SIGKILL);
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
}

// Runs with nothing on its standard streams, in a process group of its own. How it ended does not matter: the record
// tells what has to be known.
Status run_quietly(const std::vector<std::string>& args, const Env& env, int timeout_ms) {
  std::vector<char*> argv, envp;
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  for (const std::string& entry : env.entries()) envp.push_back(const_cast<char*>(entry.c_str()));
  argv.push_back(nullptr);
  envp.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  for (int fd = 0; fd < 3; ++fd) {
    posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", fd == 0 ? O_RDONLY : O_WRONLY, 0);
  }
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t pid;
  int err = posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), envp.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (err != 0) return error_from_errno(err, args[0]);
  wait_or_kill(pid, timeout_ms);
  return Ok{};
}

// Every program said hello and goodbye, and `source` was read by one that did.
bool is_complete(const std::vector<RecordEvent>& events, const std::string& source) {
  std::unordered_map<uint32_t, std::string_view> replaced;  // execs whose new program has not spoken yet
  std::unordered_set<uint32_t> said_hello, said_bye, spawned;
  bool source_was_read = false;
  for (const RecordEvent& event : events) {
    switch (event.kind) {
      case EventKind::hello:
        if (!event.identity.is_regular()) return false;
        said_hello.insert(event.pid);
        replaced.erase(event.pid);
        break;
      case EventKind::bye: said_bye.insert(event.pid); break;
      case EventKind::exec:
        if (event.result == 0) replaced[event.pid] = event.a;
        else replaced.erase(event.pid);
        break;
      case EventKind::spawn:
        if (event.result == 0 && !event.a.empty()) spawned.insert(static_cast<uint32_t>(event.aux));
        break;
      case EventKind::open_read:
        if (event.result == 0 && event.a == source && said_hello.count(event.pid)) source_was_read = true;
        break;
      default: break;
    }
  }
  for (uint32_t pid : spawned) {
    if (!said_hello.count(pid)) return false;
  }
  for (uint32_t pid : said_hello) {
    if (!said_bye.count(pid)) return false;
  }
  return source_was_read && replaced.empty();
}

}  // namespace

Result<bool> recorder_works(const SelfTest& test) {
  if (test.program.empty() || !is_absolute(test.program[0])) {
    return Error{ErrorCode::invalid, 0, "recorder self-test: the compiler is not named by an absolute path"};
  }
  const Probe& probe = probe_for(test.language);
  ScratchDir scratch = KACHE_TRY(ScratchDir::create(test.scratch_dir));
  std::string source = join_path(scratch.path(), probe.source_name);
  KACHE_TRY(posix_file_system().create(source, probe.source, 0600));
  RecordFile record = KACHE_TRY(RecordFile::create(scratch.path()));

  Env env = test.env;
  KACHE_TRY(add_recorder(env, test.library, record.path()));
  std::vector<std::string> args = test.program;
  for (std::string& arg : probe.arguments(source, join_path(scratch.path(), "out"))) args.push_back(std::move(arg));
  KACHE_TRY(run_quietly(args, env, test.timeout_ms));

  Result<std::vector<RecordEvent>> events = record.read();
  if (!events.ok() && events.code() == ErrorCode::corrupt) return false;
  return is_complete(KACHE_TRY(std::move(events)), source);
}

}  // namespace kache
