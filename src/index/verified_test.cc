#include "index/verified.h"

#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"

namespace kache {
namespace {

VerdictNote some_verdict(Verdict verdict) {
  return {{digest_bytes("action")}, verdict, int64_t{1'700'000'000} * 1'000'000'000, "a.c", "/w/app", "why \"so\"", {"a.o", "stderr"}, 42};
}

TEST(Verified, TheEventSaysTheSameAsTheVerdict) {
  for (Verdict verdict : {Verdict::same, Verdict::differs, Verdict::dropped}) {
    std::string root;
    int64_t at_ns = 0;
    Verdict read = Verdict::waits;
    ASSERT_TRUE(parse_verification(format_verdict(some_verdict(verdict)), root, at_ns, read));
    EXPECT_EQ(read, verdict);
    EXPECT_EQ(root, "/w/app");
    EXPECT_EQ(at_ns, some_verdict(verdict).at_ns);
  }
  std::string root;
  int64_t at_ns = 0;
  Verdict read;
  EXPECT_FALSE(parse_verification("{\"event\":\"heartbeat\",\"what\":\"verification\"}", root, at_ns, read));
  EXPECT_FALSE(parse_verification("\"verification\"", root, at_ns, read));

  ManualClock clock;
  MemFileSystem fs(clock);
  ASSERT_TRUE(fs.append("/events", format_verdict(some_verdict(Verdict::same)) + format_verdict(some_verdict(Verdict::same)) + "{torn").ok());
  EXPECT_EQ(count_verifications(fs, "/events", 0, ""), (std::map<Verdict, uint64_t>{{Verdict::same, 2}}));
  EXPECT_EQ(count_verifications(fs, "/events", 0, "/w").size(), 1u);
  EXPECT_TRUE(count_verifications(fs, "/events", 0, "/v").empty());
  EXPECT_TRUE(count_verifications(fs, "/events", some_verdict(Verdict::same).at_ns + 1, "").empty());
}

}  // namespace
}  // namespace kache
