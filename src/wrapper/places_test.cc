#include "wrapper/places.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

constexpr RootRef kProject{RootKind::project, 0};

// A C compile in one checkout, whose messages stand for all that was made.
struct PlacesTest : testing::Test {
  CommandLine line{{"gcc", "-c", "a.c"}, "/home/user/checkout-one", Env()};
  Invocation invocation;
  Roots roots{{{kProject, "/home/user/checkout-one", "/disk/user/checkout-one", "/proc/self/cwd"}}};
  Config config;
  Observed observed;

  PlacesTest() {
    invocation.family = Family::cc;
    invocation.named_outputs.push_back({"object", "a-long-name.o"});
  }
  Places after(const std::string& text) const {
    Places places(posix_file_system(), {line, invocation, roots, config, observed});
    places.search_text({{TextToken::literal, {{}, text}}});
    return places;
  }
};

TEST_F(PlacesTest, a_result_without_a_mark_is_good_everywhere) {
  Places places = after("in /proc/self/cwd/a.c");
  EXPECT_TRUE(places.find_bindings({}).empty());
  EXPECT_FALSE(places.shows_output_name());
}

TEST_F(PlacesTest, a_root_binds_under_either_name) {
  std::vector<Binding> bound{{kProject, "/home/user/checkout-one"}};
  EXPECT_EQ(after("in /home/user/checkout-one/a.c").find_bindings({}), bound);
  EXPECT_EQ(after("in /disk/user/checkout-one/a.c").find_bindings({}), bound);
}

TEST_F(PlacesTest, a_path_kept_by_root_is_no_mark) {
  Places places = after("");
  places.search_text({{TextToken::target_path, {kProject, "a.c"}}});
  EXPECT_TRUE(places.find_bindings({}).empty());
}

TEST_F(PlacesTest, the_name_of_the_output_may_show) { EXPECT_TRUE(after("made a-long-name.o").shows_output_name()); }

TEST_F(PlacesTest, a_harmless_variable_is_an_input_where_its_value_shows) {
  line.env.set("USER", "somebody");
  line.env.set("SHLVL", "1");
  observed.harmless = {"SHLVL", "USER"};
  EXPECT_TRUE(after("made by 1").find_variables(false).empty());
  EXPECT_EQ(after("made by somebody").find_variables(false), std::vector<std::string>{"USER"});
}

TEST_F(PlacesTest, the_language_matters_where_something_was_said) {
  observed.locale = {"LANG"};
  observed.variables = {"CPATH"};
  EXPECT_EQ(after("").find_variables(false), std::vector<std::string>{"CPATH"});
  EXPECT_EQ(after("").find_variables(true), (std::vector<std::string>{"CPATH", "LANG"}));
}

TEST_F(PlacesTest, rustc_may_have_made_something_else_of_a_value) {
  line.env.set("OUT_DIR", "/home/user/checkout-one/target/out");
  observed.variables = {"OUT_DIR"};
  EXPECT_TRUE(after("").find_bindings({"OUT_DIR"}).empty());
  invocation.family = Family::rustc;
  invocation.emits.push_back({"link", ""});
  EXPECT_EQ(after("").find_bindings({"OUT_DIR"}).size(), 1u);  // no dep-info says what was done with it
  Places told = after("");
  told.note_dep_info({});
  EXPECT_TRUE(told.find_bindings({"OUT_DIR"}).empty());
}

}  // namespace
}  // namespace kache
