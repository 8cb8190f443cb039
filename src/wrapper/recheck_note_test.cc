#include "wrapper/recheck_note.h"

#include <gtest/gtest.h>

#include "base/frame.h"
#include "tests/support/mem_file_system.h"

namespace kache {
namespace {

using Words = std::vector<std::string>;

RecheckNote some_note() {
  return {{digest_bytes("action")}, 12, "a.c", "/w", Recognised::cc, true, false, "/w/src", "/usr/bin/gcc", {"gcc", "-c", "a.c", "-o", "a.o"}, {"PATH=/usr/bin", "EMPTY="}};
}

TEST(RecheckNote, SurvivesWritingAndReading) {
  RecheckNote note = some_note();
  RecheckNote read = decode_recheck(encode_recheck(note)).value();
  EXPECT_EQ(encode_recheck(read), encode_recheck(note));
  EXPECT_EQ(read.argv, note.argv);
  EXPECT_EQ(read.env, note.env);
  EXPECT_EQ(read.kind, Recognised::cc);
  EXPECT_TRUE(read.wants_color);
  EXPECT_FALSE(read.declared);
}

TEST(RecheckNote, WhatCouldNotBeStartedIsNoNote) {
  const std::pair<const char*, void (*)(RecheckNote&)> kRows[] = {
      {"no arguments", [](RecheckNote& note) { note.argv.clear(); }},
      {"no program", [](RecheckNote& note) { note.argv[0].clear(); }},
      {"no place", [](RecheckNote& note) { note.cwd = "src"; }},
      {"a zero in an argument", [](RecheckNote& note) { note.argv[2] = std::string("a\0c", 3); }},
      {"a zero in a variable", [](RecheckNote& note) { note.env[0] += '\0'; }},
  };
  for (const auto& [name, spoil] : kRows) {
    RecheckNote note = some_note();
    spoil(note);
    EXPECT_EQ(decode_recheck(encode_recheck(note)).code(), ErrorCode::corrupt) << name;
  }
  std::string bytes = encode_recheck(some_note());
  EXPECT_FALSE(decode_recheck(bytes.substr(0, bytes.size() - 1)).ok());
  EXPECT_FALSE(decode_recheck(seal_frame("KRECHK01", std::string(bytes).substr(8, bytes.size() - 24) + "more")).ok());
  EXPECT_FALSE(decode_recheck("").ok());
}

TEST(RecheckNote, TheEnvironmentIsWhatIsNeededWithoutSecrets) {
  InputSet set;
  set.env = {{"ASKED", true, {}}, {"API_TOKEN", true, {}}, {"UNSET", false, {}}};
  Config config;
  config.key_env_vars = {"KEYED_*", "PLAIN"};
  Env env(Words{"PATH=/bin", "ASKED=1", "API_TOKEN=t", "OTHER=2", "LC_ALL=C", "LCX=3", "CARGO_PKG_AUTHORS=a@b", "KACHE_KEY_SALT=s", "KACHE_S3_SECRET_KEY=x",
                "KACHE_REMOTES=redis://u:p@h", "PLAIN=p", "KEYED_BY=q"});
  EXPECT_EQ(environment_for_recheck(env, set, config), (Words{"PATH=/bin", "ASKED=1", "LC_ALL=C", "CARGO_PKG_AUTHORS=a@b", "KACHE_KEY_SALT=s", "PLAIN=p"}));
}

TEST(RecheckNote, ASampleIsAboutAsLargeAsAskedAndAnotherOneInEachStore) {
  StoreLayout here("/here"), there("/there");
  size_t sampled = 0, both = 0;
  for (int i = 0; i < 4000; ++i) {
    ActionKey key{digest_bytes(std::to_string(i))};
    EXPECT_FALSE(is_sampled(here, key, 0));
    EXPECT_TRUE(is_sampled(here, key, 100));
    bool is_here = is_sampled(here, key, 20);
    EXPECT_EQ(is_here, is_sampled(here, key, 20));
    if (is_here) { EXPECT_TRUE(is_sampled(here, key, 21)); }
    sampled += is_here;
    both += is_here && is_sampled(there, key, 20);
  }
  EXPECT_NEAR(static_cast<double>(sampled), 800, 120);
  EXPECT_NEAR(static_cast<double>(both), 160, 60);
}

TEST(RecheckNote, IsLeftOnceAndNotWhereThereIsAVerdict) {
  ManualClock clock;
  MemFileSystem fs(clock);
  StoreLayout layout("/cache");
  ASSERT_TRUE(prepare_store(fs, layout).ok());
  RecheckNote note = some_note();
  EXPECT_TRUE(is_recheck_wanted(fs, layout, note.key));
  leave_recheck_note(fs, layout, note);
  EXPECT_FALSE(is_recheck_wanted(fs, layout, note.key));
  EXPECT_TRUE(decode_recheck(read_file(fs, layout.recheck(note.key), kMaxRecheckNote).value()).ok());
  EXPECT_EQ(fs.stat(layout.recheck(note.key)).value().mode & 0777, 0600u);
  EXPECT_TRUE(fs.files_below(layout.temporary()).empty());
  ASSERT_TRUE(fs.unlink(layout.recheck(note.key)).ok());
  ASSERT_TRUE(make_dirs(fs, layout.verdicts(), 0700).ok() && fs.create(layout.verdict(note.key), "", 0600).ok());
  EXPECT_FALSE(is_recheck_wanted(fs, layout, note.key));

  note.key = {digest_bytes("large")};
  note.argv.push_back(std::string(kMaxRecheckNote, 'x'));
  leave_recheck_note(fs, layout, note);
  EXPECT_FALSE(fs.stat(layout.recheck(note.key)).ok());
}

}  // namespace
}  // namespace kache
