// Running the compiler: its output goes on at once, byte for byte, and is kept beside.
//
// A seam: tests use a runner that answers from a script. Signals that ask this process to stop are passed on; how the
// child ended is passed back unchanged.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/result.h"

namespace kache {

struct ProcessResult {
  int status = 0;  // as waitpid gives it
  int64_t elapsed_ns = 0;
  std::string standard_output;
  std::string standard_error;
  bool succeeded() const { return status == 0; }
};

class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;

  // Called about once a second while the child runs.
  class Ticker {
   public:
    virtual ~Ticker() = default;
    virtual void tick(int64_t elapsed_ns, int pid) = 0;
  };

  // argv[0] is the program (a path, or a name for PATH). The child's stdin is ours.
  virtual Result<ProcessResult> run(const std::vector<std::string>& argv, const Env& env, Ticker* ticker) = 0;

  // The same, but nobody sees its output: it is only kept. After `limit_ns` it is killed with all that it has started:
  // `timed_out`. 0: it may take as long as it likes.
  virtual Result<ProcessResult> run_quietly(const std::vector<std::string>& argv, const Env& env, int64_t limit_ns = 0) = 0;
};

ProcessRunner& system_processes();

// Runs `work` in a copy of this process and waits for it: its result, or what the program that it became ended with, as
// waitpid gives it.
Result<int> run_in_child(const std::function<int()>& work);

// Replaces this process. Returns only on failure.
Error exec_program(const std::vector<std::string>& argv, const Env& env);

// Ends this process the way the child ended: same exit status, same signal. Never returns.
[[noreturn]] void end_like(int status);

// Starts a program that outlives this one, in a session of its own and without our streams: cargo waits for the end of its
// wrapper's stderr, and the jobserver is not for it.
Status start_detached(const std::vector<std::string>& argv, const Env& env);

// The exit code that a shell would show.
int exit_code_of(int status);

// From here on a file that grows beyond the user's limit (ulimit -f) is an error of the write and not the end of this
// process. Programs that are run get the signal back as it was.
void survive_file_size_limit();

void write_fully(int fd, std::string_view bytes);

}  // namespace kache
