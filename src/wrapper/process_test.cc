#include "wrapper/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "base/clock.h"

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

Result<ProcessResult> run_shell(const std::string& script, int64_t limit_ns) {
  return system_processes().run_quietly({"/bin/sh", "-c", script}, Env({"PATH=/usr/bin:/bin"}), limit_ns);
}

TEST(ProcessTest, what_ends_in_time_is_as_without_a_limit) {
  for (int64_t limit : {int64_t{0}, 60 * kSecond}) {
    ProcessResult result = run_shell("echo out; echo err >&2; exit 3", limit).value();
    EXPECT_EQ(WEXITSTATUS(result.status), 3);
    EXPECT_EQ(result.standard_output + result.standard_error, "out\nerr\n");
  }
}

// Whenever it comes: before there is a child, while it begins, or later.
TEST(ProcessTest, no_signal_to_stop_is_lost) {
  for (int i = 0; i < 300; ++i) {
    pid_t runner = ::fork();
    if (runner == 0) {
      (void)system_processes().run_quietly({"/bin/sleep", "100"}, Env({"PATH=/usr/bin:/bin"}), i % 2 ? 60 * kSecond : 0);
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(i * 10));
    ::kill(runner, SIGTERM);
    int status = 0;
    pid_t ended = 0;
    for (int waited = 0; ended == 0 && waited < 3000; ++waited) {
      ended = ::waitpid(runner, &status, WNOHANG);
      if (ended == 0) ::usleep(5'000);
    }
    if (ended == 0) ::kill(runner, SIGKILL), ::waitpid(runner, &status, 0);
    ASSERT_NE(ended, 0) << i;
  }
}

// Each of them says who it is before it hangs.
class HangingTest : public testing::TestWithParam<const char*> {};

TEST_P(HangingTest, is_killed_with_all_that_it_has_started) {
  char name[] = "/tmp/kache-pids-XXXXXX";
  int file = ::mkstemp(name);
  ASSERT_GE(file, 0);
  int64_t began = system_clock().monotonic_ns();
  Result<ProcessResult> result = run_shell("echo $$ >> " + std::string(name) + "; " + GetParam(), kSecond / 5);
  EXPECT_EQ(result.code(), ErrorCode::timed_out);
  EXPECT_LT(system_clock().monotonic_ns() - began, 30 * kSecond);
  FILE* pids = ::fdopen(file, "r");
  int pid = 0, count = 0;
  while (std::fscanf(pids, "%d", &pid) == 1) {
    count++;
    // Nobody may have waited for it yet: a grandchild goes to init.
    for (int i = 0; i < 1000 && ::kill(pid, 0) == 0; ++i) ::usleep(10'000);
    EXPECT_NE(::kill(pid, 0), 0) << pid;
  }
  EXPECT_GE(count, 1);
  std::fclose(pids);
  ::unlink(name);
}

INSTANTIATE_TEST_SUITE_P(Processes, HangingTest,
                         testing::Values("sleep 100", "exec >&- 2>&-; sleep 100", "sh -c 'sleep 100' & sleep 100", "trap '' TERM HUP INT; sleep 100; sleep 100"));

}  // namespace
}  // namespace kache
