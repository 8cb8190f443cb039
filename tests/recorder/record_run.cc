// record_run LIBRARY OUTPUT [--capacity BYTES] [--dir DIR] [--trace FILE] -- COMMAND...: runs a command under the
// recorder and writes what was recorded to OUTPUT, one event per line, for the tests in Python. The record itself lies in
// DIR, or beside OUTPUT.
//
// --trace puts strace between: the command is then watched from outside and from inside at once. Exits as the command
// did (128 + signal when it died). The first line of OUTPUT is "ok" or "error: ...".
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "record/recording.h"

extern char** environ;

namespace {

using namespace kache;

const char* const kKindNames[] = {"",        "hello", "bye",   "open_read", "open_write", "stat", "read_link",
                                  "real_path", "list_dir", "get_env", "exec", "spawn", "map", "connect",
                                  "rename",  "link",  "symlink", "unlink",  "make_dir",   "shell"};

// Everything but printable ASCII as %XX, so that tabs and newlines separate.
std::string escape(std::string_view text) {
  static const char digits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    auto u = static_cast<unsigned char>(c);
    if (u > 32 && u < 127 && c != '%') {
      out += c;
    } else {
      out += '%';
      out += digits[u >> 4];
      out += digits[u & 15];
    }
  }
  return out;
}

void print(FILE* out, const RecordEvent& e) {
  fprintf(out, "%s\t%u\t%u\t%d\t%lld\t%llu\t%llu\t%llu\t%llu\t%lld\t%lld\t%u\t%s\t%s\n",
          kKindNames[static_cast<int>(e.kind)], e.flags, e.pid, e.result, static_cast<long long>(e.clock_ns),
          static_cast<unsigned long long>(e.aux), static_cast<unsigned long long>(e.identity.dev),
          static_cast<unsigned long long>(e.identity.ino), static_cast<unsigned long long>(e.identity.size),
          static_cast<long long>(e.identity.mtime_ns), static_cast<long long>(e.identity.ctime_ns), e.identity.mode,
          escape(e.a).c_str(), escape(e.b).c_str());
}

int run(const std::vector<std::string>& args, const Env& env) {
  std::vector<char*> argv, envp;
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  for (const std::string& entry : env.entries()) envp.push_back(const_cast<char*>(entry.c_str()));
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  pid_t pid;
  if (int err = posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), envp.data())) {
    fprintf(stderr, "record_run: %s: %s\n", argv[0], strerror(err));
    return 127;
  }
  int status;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t capacity = kRecordCapacity;
  std::string trace, output = argc > 2 ? argv[2] : "";
  std::string dir = output.substr(0, output.rfind('/') + 1);
  int at = 3;
  for (; at + 1 < argc && strcmp(argv[at], "--") != 0; at += 2) {
    if (strcmp(argv[at], "--capacity") == 0) capacity = strtoull(argv[at + 1], nullptr, 10);
    if (strcmp(argv[at], "--dir") == 0) dir = argv[at + 1];
    if (strcmp(argv[at], "--trace") == 0) trace = argv[at + 1];
  }
  if (at + 1 >= argc) {
    fprintf(stderr, "usage: record_run LIBRARY OUTPUT [--capacity BYTES] [--dir DIR] [--trace FILE] -- COMMAND...\n");
    return 2;
  }
  Result<RecordFile> record = RecordFile::create(dir, capacity);
  if (!record.ok()) {
    fprintf(stderr, "record_run: %s\n", record.error().message.c_str());
    return 2;
  }

  Env env(environ);
  std::vector<std::string> command;
  if (trace.empty()) {
    if (Status added = add_recorder(env, argv[1], record->path()); !added.ok()) {
      fprintf(stderr, "record_run: %s\n", added.error().message.c_str());
      return 2;
    }
  } else {
    // The recorder for the command only, not for strace.
    command = {"strace", "-f", "-k", "-y", "-s", "16", "-o", trace, "-E", std::string("LD_PRELOAD=") + argv[1], "-E",
               "KACHE_RECORD=" + record->path(), "-e",
               "trace=open,openat,openat2,creat,stat,lstat,newfstatat,statx,access,faccessat,faccessat2,readlink,"
               "readlinkat,execve,execveat,chdir,fchdir,fork,vfork,clone,clone3,rename,renameat,renameat2,unlink,"
               "unlinkat,rmdir,mkdir,mkdirat,link,linkat,symlink,symlinkat,connect"};
  }
  for (int i = at + 1; i < argc; ++i) command.push_back(argv[i]);
  int status = run(command, env);

  FILE* out = fopen(output.c_str(), "w");
  if (!out) {
    perror(output.c_str());
    return 2;
  }
  Result<std::vector<RecordEvent>> events = record->read();
  if (events.ok()) {
    fprintf(out, "ok\n");
    for (const RecordEvent& event : *events) print(out, event);
  } else {
    fprintf(out, "error: %s\n", events.error().message.c_str());
  }
  fclose(out);
  return status;
}
