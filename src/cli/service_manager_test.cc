#include "cli/service_manager.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

TEST(ServiceManagerTest, any_path_is_one_word_for_systemd) {
  EXPECT_EQ(systemd_word("/usr/bin/kache"), "\"/usr/bin/kache\"");
  EXPECT_EQ(systemd_word("/home/a b/kache"), "\"/home/a b/kache\"");
  EXPECT_EQ(systemd_word("/a\"b\\c"), "\"/a\\\"b\\\\c\"");
  EXPECT_EQ(systemd_word("/100%/$HOME/k"), "\"/100%%/$$HOME/k\"");
  EXPECT_EQ(systemd_word(""), "\"\"");
  const ServiceManager* systemd = find_service_manager("systemd");
  ASSERT_NE(systemd, nullptr);
  EXPECT_NE(systemd->contents("/opt/my %h/kache").find("\nExecStart=\"/opt/my %%h/kache\" daemon run\n"), std::string::npos);
}

TEST(ServiceManagerTest, any_path_is_text_of_xml) {
  EXPECT_EQ(xml_text("/a<b>&c\"d"), "/a&lt;b&gt;&amp;c\"d");
  const ServiceManager* launchd = find_service_manager("launchd");
  ASSERT_NE(launchd, nullptr);
  EXPECT_NE(launchd->contents("/A & B/kache").find("<array><string>/A &amp; B/kache</string><string>daemon</string><string>run</string></array>"), std::string::npos);
}

TEST(ServiceManagerTest, a_file_lies_where_its_manager_looks) {
  const ServiceManager* systemd = find_service_manager("systemd");
  auto env = [](std::vector<std::string> variables) { return Env(std::move(variables)); };
  EXPECT_EQ(systemd->dir(env({"HOME=/home/me"})), "/home/me/.config/systemd/user");
  EXPECT_EQ(systemd->dir(env({"HOME=/home/me", "XDG_CONFIG_HOME=/conf"})), "/conf/systemd/user");
  EXPECT_EQ(systemd->dir(env({"HOME=/home/me", "XDG_CONFIG_HOME=relative"})), "/home/me/.config/systemd/user");
  EXPECT_EQ(systemd->dir(env({})), "");
  EXPECT_EQ(find_service_manager("launchd")->dir(env({"HOME=/Users/me"})), "/Users/me/Library/LaunchAgents");
  EXPECT_EQ(find_service_manager("launchd")->dir(env({"HOME=here"})), "");
}

TEST(ServiceManagerTest, are_found_by_their_names) {
  EXPECT_EQ(find_service_manager("upstart"), nullptr);
  ASSERT_NE(find_service_manager(""), nullptr);
  std::vector<std::string> names = service_manager_names();
  EXPECT_EQ(names.size(), 2u);
  for (const std::string& name : names) EXPECT_EQ(find_service_manager(name)->name, name);
}

}  // namespace
}  // namespace kache
