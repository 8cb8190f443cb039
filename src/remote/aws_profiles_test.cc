#include "remote/aws_profiles.h"

#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"

namespace kache {
namespace {

TEST(AwsProfiles, AreReadAsTheToolsOfAwsReadThem) {
  AwsProfiles profiles;
  add_profiles(
      "# a comment\n; another\nstray = line\n[default]\nRegion = eu-west-1  # where\r\nempty =\naws_secret_access_key = a#b;c=d\n"
      "[profile  two]\n  indented = yes\ns3 =\n  addressing_style = path\n  max = 3\noutput = json\n[profile \"with space\"]\nx=1\n"
      "[two]\nno = profile\n[sso-session s]\nregion = other\n[profilex]\nx=1\n[profile]\nx=1\n[broken\nx=1\n[default]\nregion = again\n",
      AwsFile::config, profiles);
  AwsProfiles expected = {{"default", {{"region", "again"}, {"aws_secret_access_key", "a#b;c=d"}}},
                          {"two", {{"indented", "yes"}, {"output", "json"}}},
                          {"with space", {{"x", "1"}}}};
  EXPECT_EQ(profiles, expected);
}

TEST(AwsProfiles, TheCredentialsFileGoesFirst) {
  ManualClock clock;
  MemFileSystem files(clock);
  for (const char* directory : {"/h", "/h/.aws"}) ASSERT_TRUE(files.make_dir(directory, 0755).ok());
  ASSERT_TRUE(files.create("/h/.aws/credentials", "[a]\nkey = credentials\n[profile b]\nkey = its name is all of it\n", 0600).ok());
  ASSERT_TRUE(files.create("/h/.aws/config", "[profile a]\nkey = config\nregion = r\n", 0600).ok());
  ASSERT_TRUE(files.create("/h/other", "[a]\nkey = other\n", 0600).ok());
  Env env;
  EXPECT_TRUE(read_profiles(files, env)->empty());
  env.set("HOME", "/h");
  AwsProfiles expected = {{"a", {{"key", "credentials"}, {"region", "r"}}}, {"profile b", {{"key", "its name is all of it"}}}};
  EXPECT_EQ(*read_profiles(files, env), expected);
  env.set("AWS_SHARED_CREDENTIALS_FILE", "~/other");
  EXPECT_EQ(read_profiles(files, env)->at("a").at("key"), "other");
  env.set("AWS_CONFIG_FILE", "/absent");
  EXPECT_FALSE(read_profiles(files, env)->at("a").contains("region"));
}

}  // namespace
}  // namespace kache
