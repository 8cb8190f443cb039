#include "tui/config_screen.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

ConfigField field_of(const std::string& section, const std::string& name, const std::string& value, bool is_switch = false) {
  ConfigField field;
  field.section = section;
  field.name = name;
  field.key = section + "." + name;
  field.value = field.standard = value;
  field.source = "default";
  field.help = "what " + name + " does";
  field.type = is_switch ? "true or false" : "size";
  field.is_switch = is_switch;
  return field;
}

struct Lab {
  ConfigScreen screen;
  int width = 80, height = 24;

  Lab() {
    screen.fields = {field_of("cache", "size", "50GiB"), field_of("cache", "locked", "1"), field_of("cache", "on", "true", true), field_of("cc", "map", "debug")};
    screen.fields[1].lock = "env: KACHE_LOCKED=1";
    screen.file = "/home/u/.config/kache/config.toml";
    screen.check = [](const ConfigField&, const std::string& text) { return text == "bad" ? "a size" : ""; };
  }
  ConfigAnswer press(const Key& key) { return kache::press(screen, key, height); }
  ConfigAnswer type(const std::string& text) {
    ConfigAnswer answer = ConfigAnswer::none;
    for (char c : text) answer = press({Key::text, std::string(1, c)});
    return answer;
  }
  Frame frame() { return draw(screen, width, height); }
};

TEST(ConfigScreenTest, what_it_looks_like) {
  Lab lab;
  Frame frame = lab.frame();
  EXPECT_EQ(frame.line(0), " kache config");
  EXPECT_EQ(frame.line(1), "[cache]");
  EXPECT_EQ(frame.line(2), "   size                      50GiB                      default");
  EXPECT_TRUE(frame.at(0, 2).is_reversed);
  EXPECT_EQ(frame.line(5), "[cc]");
  EXPECT_EQ(frame.line(20), "what size does");
  EXPECT_EQ(frame.line(21), "size; default: 50GiB");
  EXPECT_EQ(frame.line(22), "/home/u/.config/kache/config.toml");
  EXPECT_EQ(frame.line(23), "Enter edit  Space switch  u default  Tab section  s save  q quit");
}

TEST(ConfigScreenTest, an_edit_is_kept_only_when_it_is_good) {
  Lab lab;
  lab.press({Key::enter});
  for (int i = 0; i < 5; ++i) lab.press({Key::backspace});
  lab.type("bad");
  lab.press({Key::enter});
  EXPECT_TRUE(lab.screen.is_editing);
  EXPECT_EQ(lab.frame().line(22), "expected a size");
  lab.press({Key::escape});
  EXPECT_EQ(lab.screen.fields[0].value, "50GiB");
  EXPECT_FALSE(lab.screen.has_changes());
  lab.press({Key::enter});
  lab.press({Key::home});
  lab.press({Key::del});
  lab.type("q");  // text, not quit
  lab.press({Key::enter});
  EXPECT_EQ(lab.screen.fields[0].value, "q0GiB");
  EXPECT_EQ(lab.frame().line(0), " kache config [*] unsaved");
}

TEST(ConfigScreenTest, what_is_changed_back_is_no_change) {
  Lab lab;
  lab.press({Key::down});
  EXPECT_EQ(lab.screen.cursor, 2u);  // the locked one is passed over
  lab.type(" ");
  EXPECT_EQ(lab.screen.fields[2].value, "false");
  EXPECT_TRUE(lab.screen.has_changes());
  lab.type("u");
  EXPECT_EQ(lab.screen.fields[2].value, "true");
  EXPECT_FALSE(lab.screen.has_changes());
  // The default, but written down.
  lab.screen.fields[2].source = "config.toml:3";
  lab.type("u");
  EXPECT_EQ(lab.screen.fields[2].change, ConfigField::unset);
  lab.type("  ");
  EXPECT_FALSE(lab.screen.has_changes());
}

TEST(ConfigScreenTest, locked_ones_say_why) {
  Lab lab;
  lab.screen.cursor = 1;
  lab.press({Key::enter});
  EXPECT_FALSE(lab.screen.is_editing);
  EXPECT_EQ(lab.frame().line(22), "env: KACHE_LOCKED=1");
}

TEST(ConfigScreenTest, questions_before_something_is_lost) {
  Lab lab;
  EXPECT_EQ(lab.type("q"), ConfigAnswer::quit);
  EXPECT_EQ(lab.press({Key::quit}), ConfigAnswer::quit);
  EXPECT_EQ(lab.type("s"), ConfigAnswer::none);
  EXPECT_EQ(lab.frame().line(22), "Nothing was changed.");
  lab.screen.cursor = 2;
  lab.type(" ");
  EXPECT_EQ(lab.type("q"), ConfigAnswer::none);
  EXPECT_EQ(lab.frame().line(22), "Unsaved changes. Quit? (y/n)");
  EXPECT_EQ(lab.type("n"), ConfigAnswer::none);
  EXPECT_EQ(lab.press({Key::save}), ConfigAnswer::save);  // there is no file yet
  lab.screen.file_exists = true;
  EXPECT_EQ(lab.type("s"), ConfigAnswer::none);
  EXPECT_EQ(lab.type("y"), ConfigAnswer::save);
  EXPECT_EQ(lab.type("s"), ConfigAnswer::save);  // asked once
  mark_saved(lab.screen);
  EXPECT_EQ(lab.screen.fields[2].source, "file");
  EXPECT_EQ(lab.type("q"), ConfigAnswer::quit);
}

TEST(ConfigScreenTest, every_size_shows_the_cursor) {
  for (int width : {0, 1, 30, 80, 200}) {
    for (int height : {0, 1, 2, 4, 8, 10, 24, 60}) {
      Lab lab;
      lab.width = width, lab.height = height;
      for (int i = 0; i < 60; ++i) lab.screen.fields.push_back(field_of(i < 30 ? "many" : "more", "name" + std::to_string(i), "v"));
      for (const Key& key : {Key{Key::end}, Key{Key::page_up}, Key{Key::back_tab}, Key{Key::tab}, Key{Key::down}, Key{Key::enter}, Key{Key::resize}}) {
        lab.press(key);
        bool is_seen = lab.frame().text().find(lab.screen.fields[lab.screen.cursor].name) != std::string::npos;
        EXPECT_TRUE(is_seen || width < 30 || height < 4) << width << "x" << height;
      }
    }
  }
}

TEST(LineEditTest, characters_of_many_bytes_are_one) {
  LineEdit edit;
  edit.start("aé日");
  edit.press({Key::left});
  edit.press({Key::left});
  edit.press({Key::text, "ü"});
  EXPECT_EQ(edit.text, "aüé日");
  edit.press({Key::del});
  EXPECT_EQ(edit.text, "aü日");
  edit.press({Key::end});
  edit.press({Key::backspace});
  edit.press({Key::backspace});
  EXPECT_EQ(edit.text, "a");
  for (Key::Code code : {Key::right, Key::del, Key::home, Key::left, Key::backspace}) edit.press({code});
  EXPECT_EQ(edit.text, "a");
  EXPECT_FALSE(edit.press({Key::enter}));
}

}  // namespace
}  // namespace kache
