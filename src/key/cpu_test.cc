#include "key/cpu.h"

#include <gtest/gtest.h>

#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace kache {
namespace {

std::string identity(const std::string& cpuinfo) {
  ManualClock clock;
  MemFileSystem fs(clock);
  EXPECT_TRUE(fs.make_dir("/proc", 0755).ok());
  EXPECT_TRUE(fs.create("/proc/cpuinfo", cpuinfo, 0444).ok());
  return cpu_identity(fs);
}

const char kOne[] = "processor\t: 0\nmodel name\t: Fast\ncpu MHz\t\t: 2000.1\nflags\t\t: sse2 avx2\n\nprocessor\t: 1\ncpu MHz\t\t: 9\n";

TEST(Cpu, features_and_models_are_told_apart) {
  std::string fewer(kOne), other(kOne);
  fewer.replace(fewer.find(" avx2"), 5, "");
  other.replace(other.find("Fast"), 4, "Slow");
  EXPECT_NE(identity(kOne), identity(fewer));
  EXPECT_NE(identity(kOne), identity(other));
}

TEST(Cpu, the_moment_and_the_number_of_processors_are_not) {
  std::string faster(kOne);
  faster.replace(faster.find("2000.1"), 6, "3100.7");
  EXPECT_EQ(identity(kOne), identity(faster));
  EXPECT_EQ(identity(kOne), identity(std::string(kOne).substr(0, std::string(kOne).find("\n\n") + 2)));
}

}  // namespace
}  // namespace kache
