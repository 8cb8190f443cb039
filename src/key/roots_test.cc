#include "key/roots.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

Roots roots() {
  return Roots({{{RootKind::home, 0}, "/home/u", "/home/u", "/kache/home"},
                {{RootKind::workspace, 0}, "/home/u/w", "/disk/w", "/proc/self/cwd"},
                {{RootKind::target, 0}, "/home/u/w/target", "/disk/w/target", "/kache/target"}});
}

TEST(Roots, the_last_match_wins_on_component_boundaries) {
  EXPECT_EQ(roots().map("/home/u/w/src/lib.rs"), (RootedPath{{RootKind::workspace, 0}, "src/lib.rs"}));
  EXPECT_EQ(roots().map("/home/u/w/target/x"), (RootedPath{{RootKind::target, 0}, "x"}));
  EXPECT_EQ(roots().map("/home/u/work"), (RootedPath{{RootKind::home, 0}, "work"}));
  EXPECT_EQ(roots().map("/home/user"), (RootedPath{{}, "/home/user"}));
  EXPECT_EQ(roots().map("/disk/w/a"), (RootedPath{{RootKind::workspace, 0}, "a"}));
}

TEST(Roots, what_is_mapped_resolves_to_the_users_spelling) {
  for (const char* path : {"/home/u/w/src", "/home/u/w", "/home/u/w/target/a b", "/etc/x"}) {
    EXPECT_EQ(roots().resolve(roots().map(path)), path);
  }
  EXPECT_EQ(roots().resolve({{RootKind::cargo_home, 0}, "x"}), "");
}

TEST(Roots, values_are_remapped_element_by_element) {
  EXPECT_EQ(roots().remapped_list("/home/u/w/a:rel:/home/u/w/target"), "/proc/self/cwd/a:rel:/kache/target");
  EXPECT_EQ(roots().remapped("rel/x"), "rel/x");
  EXPECT_NE(roots().remapped("/proc/self/cwd/a"), roots().remapped("/home/u/w/a"));
  EXPECT_NE(roots().remapped_list("x:/kache/target"), roots().remapped_list("x:/home/u/w/target"));
}

TEST(Roots, the_target_directory_of_cargos_layouts) {
  EXPECT_EQ(target_dir_of("/w/target/debug/deps", ""), "/w/target");
  EXPECT_EQ(target_dir_of("/w/target/wasm32-unknown-unknown/release/deps", "wasm32-unknown-unknown"), "/w/target");
  EXPECT_EQ(target_dir_of("/w/target/debug/build/x-1", ""), "/w/target");
  EXPECT_EQ(target_dir_of("/w/target/t/debug/examples", "/specs/t.json"), "/w/target");
  EXPECT_EQ(target_dir_of("/somewhere/else", ""), "/somewhere/else");
}

}  // namespace
}  // namespace kache
