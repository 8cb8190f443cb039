// Presets in texts of all shapes: what is added can be taken out, and nothing else is touched.
#include "cli/cmake_presets.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

const PresetChoice kChoice{"/opt/my kache/kache", "", "Ninja"};

TEST(CmakePresetsTest, what_is_added_is_found_and_goes_again) {
  for (const char* text : {R"({"version":3})", "{ \"version\" : 3 }\n", "{\n  \"version\": 3,\n  \"vendor\": {\"a,]}\\\"\": [[], {}]}\n}",
                           R"({"version":3,"configurePresets":[{"name":"a"}]})", R"({"configurePresets":[{"name":"a"},{"name":"b"}],"version":2})",
                           "{\"version\":3,\n\"buildPresets\":[\n {\"name\":\"a\"} ]}"}) {
    std::string added = add_preset(text, kChoice).value();
    ASSERT_TRUE(find_preset(added)) << added;
    EXPECT_EQ(find_preset(added)->launcher, kChoice.launcher);
    EXPECT_FALSE(add_preset(added, kChoice).ok());
    EXPECT_EQ(remove_preset(added).value(), text);
    EXPECT_EQ(remove_preset(text).value(), text);
  }
}

TEST(CmakePresetsTest, a_file_of_an_old_version_names_a_generator_unless_it_inherits_one) {
  PresetChoice heir = kChoice;
  heir.inherits = "a";
  EXPECT_NE(add_preset(R"({"version":2})", kChoice).value().find("\"generator\""), std::string::npos);
  EXPECT_EQ(add_preset(R"({"version":2})", heir).value().find("\"generator\""), std::string::npos);
  EXPECT_EQ(add_preset(R"({"version":3})", kChoice).value().find("\"generator\""), std::string::npos);
  EXPECT_EQ(add_preset(R"({"version":1})", kChoice).value().find("buildPresets"), std::string::npos);
}

TEST(CmakePresetsTest, what_is_no_file_of_presets_is_refused_with_its_line) {
  for (const char* text : {"[]", "{", "{}", R"({"version":"3"})", R"({"version":3,"configurePresets":1})",
                           R"({"version":3,"configurePresets":[],"configurePresets":[{"name":"a"}]})", R"({"version":1e999})"}) {
    EXPECT_FALSE(add_preset(text, kChoice).ok()) << text;
  }
  std::string deep(500'000, '[');
  EXPECT_FALSE(add_preset("{\"version\": 3, \"vendor\": " + deep + std::string(deep.size(), ']') + "}", kChoice).ok());
  EXPECT_NE(add_preset("{\n\n  \"version\": 3,\n}", kChoice).error().message.find("line 4"), std::string::npos);
}

}  // namespace
}  // namespace kache
