#include "remote/credential_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/clock.h"
#include "base/file_system.h"

namespace kache {
namespace {

using Words = std::vector<std::string>;

TEST(SplitCommand, KnowsQuotesAndNothingElseOfAShell) {
  EXPECT_EQ(*split_command("  aws\tx "), (Words{"aws", "x"}));
  EXPECT_EQ(*split_command(R"(/opt/a\ b "c d" 'e "f' g"h"i "" "\"" '\')"), (Words{"/opt/a b", "c d", "e \"f", "ghi", "", "\"", "\\"}));
  EXPECT_EQ(*split_command("a $(b) `c` ; d | e > f $HOME *"), (Words{"a", "$(b)", "`c`", ";", "d", "|", "e", ">", "f", "$HOME", "*"}));
  for (const char* bad : {"", "  ", "\"a", "a 'b", "\"\" a"}) EXPECT_EQ(split_command(bad).code(), ErrorCode::invalid) << bad;
}

class CredentialProcess : public ::testing::Test {
 protected:
  Result<std::string> run(const std::string& script, int64_t ms = 20'000) {
    Limits limits;
    limits.deadline_ns = system_clock().monotonic_ns() + ms * 1'000'000;
    return run_credential_process({"sh", "-c", script}, Env({"PATH=/usr/bin:/bin", "OWN=value"}), limits);
  }
};

TEST_F(CredentialProcess, ItsOutputIsTakenAndItsEnvironmentIsTheGivenOne) {
  EXPECT_EQ(*run("read line; echo \"$OWN $HOME $line\""), "value  \n");
}

TEST_F(CredentialProcess, AFailureIsSaid) {
  Result<std::string> failed = run("echo x; exit 3");
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message, "sh: failed with status 3");
  EXPECT_EQ(failed.code(), ErrorCode::denied);
  EXPECT_EQ(run_credential_process({"/no/such/program"}, Env(), {}).code(), ErrorCode::not_found);
}

TEST_F(CredentialProcess, ItIsEndedWhenItTakesTooLongOrSaysTooMuch) {
  auto has_ended = [](int pid) {  // a zombie has
    Result<std::string> state = read_file(posix_file_system(), "/proc/" + std::to_string(pid) + "/stat", 4096);
    return !state.ok() || state->find(") Z ") != std::string::npos;
  };
  int64_t begun = system_clock().monotonic_ns();
  EXPECT_EQ(run("sleep 30", 200).code(), ErrorCode::timed_out);
  std::string file = ::testing::TempDir() + "kache_credential_process_" + std::to_string(::getpid());
  EXPECT_EQ(run("sleep 30 & echo $! >" + file + "; sleep 30", 300).code(), ErrorCode::timed_out);
  int pid = std::atoi(read_file(posix_file_system(), file, 100)->c_str());
  ::unlink(file.c_str());
  ASSERT_GT(pid, 1);
  for (int i = 0; i < 100 && !has_ended(pid); ++i) ::usleep(10'000);
  EXPECT_TRUE(has_ended(pid)) << "what it starts is ended too";
  EXPECT_EQ(run("exec >&-; sleep 30", 200).code(), ErrorCode::timed_out);
  EXPECT_EQ(run("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done").code(), ErrorCode::too_large);
  EXPECT_LT(system_clock().monotonic_ns() - begun, int64_t{15} * 1'000'000'000);
}

}  // namespace
}  // namespace kache
