// The command lines of cargo 1.95, as it gave them to a RUSTC_WRAPPER (places shortened).
#include <gtest/gtest.h>

#include "tests/unit/parse_line.h"

namespace kache {
namespace {

// Words are separated by spaces here; cargo's own "cfg(feature, values())" is a word with a space.
std::vector<std::string> cargo_words(std::string_view text) {
  std::vector<std::string> words;
  for (std::string& word : words_of(text)) {
    if (!words.empty() && words.back().starts_with("cfg(feature,") && !words.back().ends_with("))")) words.back() += " " + word;
    else words.push_back(std::move(word));
  }
  return words;
}

constexpr std::string_view kJson =
    " --error-format=json --json=diagnostic-rendered-ansi,artifacts,future-incompat ";
constexpr std::string_view kTail =
    " -C embed-bitcode=no -C debuginfo=2 --deny=unused_mut --cfg feature=\"fast\" --check-cfg cfg(docsrs,test) "
    "--check-cfg cfg(feature, values(\"default\", \"fast\")) -C metadata=ca449528cd267243 "
    "-C extra-filename=-d7f3e9e84bbaa5c1 --out-dir /w/t/debug/deps -C incremental=/w/t/debug/incremental "
    "-L dependency=/w/t/debug/deps --extern dep=/w/t/debug/deps/libdep-95.rmeta -L native=/w/t/debug/build/app-ba/out "
    "--cfg built";

ParsedInvocation parse_unit(std::string_view head, std::string_view kind) {
  std::string line = std::string(head) + std::string(kJson) + std::string(kind) + std::string(kTail);
  return parse_words(cargo_words(line));
}

struct Unit {
  const char *head, *kind, *emits;
  bool links, is_executable;
};

TEST(CargoLines, every_kind_of_unit_is_a_compile_with_its_outputs) {
  const Unit units[] = {
      {"--crate-name app_one --edition=2021 app/src/lib.rs", "--crate-type lib --emit=dep-info,metadata,link",
       "dep-info metadata link ", false, false},
      {"--crate-name app_one --edition=2021 app/src/main.rs", "--crate-type bin --emit=dep-info,link", "dep-info link ",
       true, true},
      {"--crate-name app_one --edition=2021 app/src/lib.rs", "--emit=dep-info,link --test", "dep-info link ", true, true},
      {"--crate-name it --edition=2021 app/tests/it.rs", "--emit=dep-info,link --test", "dep-info link ", true, true},
      {"--crate-name pm --edition=2021 pm/src/lib.rs", "--crate-type proc-macro --emit=dep-info,link -C prefer-dynamic",
       "dep-info link ", true, false},
      {"--crate-name cdy --edition=2021 cdy/src/lib.rs", "--crate-type cdylib --crate-type rlib --emit=dep-info,link",
       "dep-info link ", true, false},
      {"--crate-name build_script_build --edition=2021 app/build.rs", "--crate-type bin --emit=dep-info,link",
       "dep-info link ", true, true},
      {"--crate-name app_one --edition=2021 app/src/lib.rs", "--crate-type lib --emit=dep-info,metadata",
       "dep-info metadata ", false, false},
      {"--crate-name app_one --edition=2021 app/src/main.rs", "--crate-type bin --emit=dep-info,metadata",
       "dep-info metadata ", false, true},
  };
  for (const Unit& unit : units) {
    ParsedInvocation parsed = parse_unit(unit.head, unit.kind);
    EXPECT_FALSE(parsed.refused) << parsed.refused.reason();
    const Invocation& it = parsed.invocation;
    std::string emits;
    for (const Emit& emit : it.emits) emits += emit.kind + " ";
    EXPECT_EQ(emits, unit.emits) << unit.head;
    EXPECT_EQ(it.links(), unit.links) << unit.head << unit.kind;
    EXPECT_EQ(it.makes_user_executable(), unit.is_executable) << unit.head << unit.kind;
    EXPECT_EQ(it.output_dir(), "/w/t/debug/deps");
    EXPECT_EQ(it.output_stems(), (std::vector<std::string>{it.crate_name + "-d7f3e9e84bbaa5c1",
                                                           "lib" + it.crate_name + "-d7f3e9e84bbaa5c1"}));
    EXPECT_EQ(it.incremental_dir, "/w/t/debug/incremental");
    EXPECT_TRUE(it.json_errors);
    EXPECT_TRUE(it.color_given);
    EXPECT_FALSE(it.expanded_response_file);
  }
}

TEST(CargoLines, a_library_is_keyed_by_all_it_is_told) {
  ParsedInvocation parsed = parse_unit("--crate-name app_one --edition=2021 app/src/lib.rs",
                                       "--crate-type lib --emit=dep-info,metadata,link");
  EXPECT_EQ(key_of(parsed),
            "--crate-name=app_one | --edition=2021 | source <app/src/lib.rs> | --error-format=json | "
            "--json=diagnostic-rendered-ansi,artifacts,future-incompat | --crate-type=lib | "
            "--emit=dep-info,metadata,link | -C embed-bitcode=no | -C debuginfo=2 | -D unused_mut | "
            "--cfg=feature=\"fast\" | --check-cfg=cfg(docsrs,test) | "
            "--check-cfg=cfg(feature, values(\"default\", \"fast\")) | -C metadata=ca449528cd267243 | "
            "-C extra-filename=-d7f3e9e84bbaa5c1 | --out-dir | -L dependency | "
            "--extern=dep=</w/t/debug/deps/libdep-95.rmeta> | -L native=</w/t/debug/build/app-ba/out> | --cfg=built");
}

TEST(CargoLines, its_questions_are_probes) {
  for (const char* line :
       {"-vV",
        "- --crate-name ___ --print=file-names --crate-type bin --crate-type rlib --crate-type dylib --crate-type cdylib "
        "--crate-type staticlib --crate-type proc-macro --print=sysroot --print=split-debuginfo --print=crate-name "
        "--print=cfg -Wwarnings"}) {
    ParsedInvocation parsed = parse_line(line);
    EXPECT_FALSE(parsed.refused) << parsed.refused.reason();
    EXPECT_EQ(parsed.invocation.purpose, Purpose::probe);
  }
}

}  // namespace
}  // namespace kache
