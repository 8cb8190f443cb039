#include "wrapper/cc_checks.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace kache {
namespace {

std::string member(const char* name, const char* date, const std::string& bytes, bool holds_bytes = true) {
  char header[61];
  snprintf(header, sizeof header, "%-16s%-12s%-6s%-6s%-8s%-10zu`\n", name, date, "0", "0", "644", bytes.size());
  std::string out = header;
  if (holds_bytes) out += bytes + (bytes.size() % 2 ? "\n" : "");
  return out;
}

TEST(CcChecks, an_archive_without_times_of_members) {
  EXPECT_FALSE(has_member_times("!<arch>\n"));
  EXPECT_FALSE(has_member_times("!<arch>\n" + member("/", "0", "index") + member("a.o/", "0", "object") + member("b.o/", "0", "odd")));
  EXPECT_FALSE(has_member_times("!<arch>\n" + member("//", "", "a long name/\n") + member("/0", "0", "object")));
}

TEST(CcChecks, any_member_may_have_a_time) {
  EXPECT_TRUE(has_member_times("!<arch>\n" + member("a.o/", "0", "odd") + member("b.o/", "1700000000", "object")));
  EXPECT_TRUE(has_member_times("!<arch>\n" + member("/", "1700000000", "index") + member("a.o/", "0", "object")));
}

TEST(CcChecks, a_thin_archive_holds_headers_only) {
  std::string names = member("//", "", "dir/a.o/\n");
  EXPECT_FALSE(has_member_times("!<thin>\n" + names + member("/0", "0", "object", false) + member("/8", "0", "more", false)));
  EXPECT_TRUE(has_member_times("!<thin>\n" + names + member("/0", "0", "object", false) + member("/8", "9", "more", false)));
}

TEST(CcChecks, what_is_no_archive_can_not_be_trusted) {
  EXPECT_TRUE(has_member_times(""));
  EXPECT_TRUE(has_member_times("<bigaf>\n"));
}

}  // namespace
}  // namespace kache
