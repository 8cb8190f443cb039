#include "compiler/line_parser.h"

#include <gtest/gtest.h>

#include "compiler/compilers.h"

namespace kache {
namespace {

using Words = std::vector<std::string>;

TEST(LineParser, devices_are_no_place_for_an_output_and_shared_memory_is) {
  for (const char* path : {"/dev/null", "/dev/fd/1", "/proc/self/fd/1", "/dev"}) EXPECT_TRUE(is_device(path)) << path;
  for (const char* path : {"/dev/shm/a.o", "/devel/a.o", "/w/dev/null", "a.o"}) EXPECT_FALSE(is_device(path)) << path;
}

TEST(LineParser, all_of_the_c_family_think_so) {
  auto refusal_of = [](auto parse, Words argv) {
    return parse(posix_file_system(), CommandLine{std::move(argv), "/w", Env(Words{})}).refused.refusal;
  };
  for (const char* dir : {"/dev/", "/proc/self/fd/"}) {
    std::string path = dir + std::string("x.o");
    EXPECT_EQ(refusal_of(parse_cc, {"gcc", "-c", "a.c", "-o", path}), Refusal::output_not_private_file);
    EXPECT_EQ(refusal_of(parse_cc, {"clang-cl", "/c", "a.c", "/Fo" + path}), Refusal::output_not_private_file);
    EXPECT_EQ(refusal_of(parse_ar, {"ar", "rc", path, "a.o"}), Refusal::output_not_private_file);
  }
  EXPECT_EQ(refusal_of(parse_cc, {"gcc", "-c", "a.c", "-o", "/dev/shm/x.o"}), Refusal::none);
  EXPECT_EQ(refusal_of(parse_cc, {"clang-cl", "/c", "a.c", "/Fo/dev/shm/x.obj"}), Refusal::none);
  EXPECT_EQ(refusal_of(parse_ar, {"ar", "rc", "/dev/shm/x.a", "a.o"}), Refusal::none);
}

}  // namespace
}  // namespace kache
