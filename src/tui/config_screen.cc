#include "tui/config_screen.h"

#include <algorithm>

namespace kache {
namespace {

constexpr int kFewestForDetails = 10;

const std::vector<Column> kColumns = {{" ", 1}, {"Option", 24}, {"Value", 10, false, true}, {"Source", 24, false, false, 3}};

// Behind the list: the help (where there is room), the message, the keys.
int lines_below(int height) { return height >= kFewestForDetails ? 5 : 2; }
size_t page_of(int height) { return static_cast<size_t>(std::max(height - 1 - lines_below(height), 1)); }

bool begins_section(const ConfigScreen& screen, size_t i) { return i == 0 || screen.fields[i].section != screen.fields[i - 1].section; }

// The line of a field among fields and headings.
size_t line_of(const ConfigScreen& screen, size_t field) {
  size_t line = 0;
  for (size_t i = 0; i <= field && i < screen.fields.size(); ++i) line += begins_section(screen, i);
  return line + field;
}

void settle(ConfigScreen& screen, int height) {
  size_t count = screen.fields.size();
  if (count == 0) return;
  screen.cursor = std::min(screen.cursor, count - 1);
  size_t line = line_of(screen, screen.cursor), page = page_of(height);
  // The heading of a section is seen with its first field.
  size_t first = begins_section(screen, screen.cursor) && page > 1 ? line - 1 : line;
  if (first < screen.top) screen.top = first;
  if (line >= screen.top + page) screen.top = line - page + 1;
  size_t lines = line_of(screen, count - 1) + 1;
  screen.top = std::min(screen.top, lines > page ? lines - page : 0);
}

// The next one that can be changed.
void step(ConfigScreen& screen, bool is_down) {
  for (size_t at = screen.cursor; is_down ? at + 1 < screen.fields.size() : at > 0;) {
    at += is_down ? 1 : static_cast<size_t>(-1);
    if (!screen.fields[at].lock.empty()) continue;
    screen.cursor = at;
    return;
  }
}

void go_to_section(ConfigScreen& screen, bool is_next) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < screen.fields.size(); ++i) {
    if (begins_section(screen, i)) starts.push_back(i);
  }
  if (starts.empty()) return;
  size_t now = static_cast<size_t>(std::upper_bound(starts.begin(), starts.end(), screen.cursor) - starts.begin()) - 1;
  screen.cursor = starts[(now + (is_next ? 1 : starts.size() - 1)) % starts.size()];
}

void change(ConfigField& field, ConfigField::Change kind, const std::string& value) {
  if (field.change == ConfigField::kept) field.saved_value = field.value, field.saved_source = field.source;
  field.change = kind;
  field.value = value;
  field.source = kind == ConfigField::unset ? "default, not saved" : "not saved";
  bool is_as_before = field.value == field.saved_value && (kind == ConfigField::set) == (field.saved_source != "default");
  if (!is_as_before) return;
  field.change = ConfigField::kept;
  field.source = field.saved_source;
}

void press_in_edit(ConfigScreen& screen, const Key& key) {
  if (screen.edit.press(key)) return screen.say("", false);
  if (key.code == Key::escape) return screen.is_editing = false, screen.say("", false);
  if (key.code != Key::enter) return;
  ConfigField& field = screen.fields[screen.cursor];
  std::string expected = screen.check(field, screen.edit.text);
  if (!expected.empty()) return screen.say("expected " + expected, true);
  screen.is_editing = false;
  screen.say("", false);
  change(field, ConfigField::set, screen.edit.text);
}

void toggle(ConfigField& field) { change(field, ConfigField::set, field.value == "true" ? "false" : "true"); }

ConfigAnswer ask_to_save(ConfigScreen& screen) {
  if (!screen.has_changes()) return screen.say("Nothing was changed.", false), ConfigAnswer::none;
  if (!screen.file_exists || screen.may_write) return ConfigAnswer::save;
  screen.asks_to_write = true;
  return ConfigAnswer::none;
}

std::string question_of(const ConfigScreen& screen) {
  if (screen.asks_to_quit) return "Unsaved changes. Quit? (y/n)";
  if (screen.asks_to_write) return "Write it? The old file is kept. (y/n)";
  return {};
}

ConfigAnswer press_in_question(ConfigScreen& screen, const Key& key) {
  if (key.code == Key::none || key.code == Key::resize) return ConfigAnswer::none;
  bool is_yes = key.is("y") || key.is("Y"), was_quit = screen.asks_to_quit;
  screen.asks_to_quit = screen.asks_to_write = false;
  if (!is_yes) return ConfigAnswer::none;
  if (was_quit) return ConfigAnswer::quit;
  screen.may_write = true;
  return ConfigAnswer::save;
}

void press_in_field(ConfigScreen& screen, const Key& key) {
  ConfigField& field = screen.fields[screen.cursor];
  bool wants_edit = key.code == Key::enter, wants_toggle = key.is(" "), wants_default = key.is("u") || key.code == Key::del;
  if (!wants_edit && !wants_toggle && !wants_default) return;
  if (!field.lock.empty()) return screen.say(field.lock, true);
  if (wants_default) return change(field, ConfigField::unset, field.standard);
  if (field.is_switch) return toggle(field);
  if (wants_toggle) return;
  screen.is_editing = true;
  screen.edit.start(field.value);
}

}  // namespace

bool ConfigScreen::has_changes() const {
  return std::any_of(fields.begin(), fields.end(), [](const ConfigField& field) { return field.change != ConfigField::kept; });
}

ConfigAnswer press(ConfigScreen& screen, const Key& key, int height) {
  size_t page = page_of(height), count = screen.fields.size();
  if (!question_of(screen).empty()) return key.code == Key::quit ? ConfigAnswer::quit : press_in_question(screen, key);
  if (key.code == Key::quit) {
    // Ctrl-C a second time does not ask.
    if (!screen.has_changes()) return ConfigAnswer::quit;
    screen.is_editing = false;
    screen.asks_to_quit = true;
    return ConfigAnswer::none;
  }
  if (key.code == Key::none || count == 0) return (key.is("q") || key.code == Key::escape) ? ConfigAnswer::quit : ConfigAnswer::none;
  if (screen.is_editing && key.code != Key::resize) return press_in_edit(screen, key), ConfigAnswer::none;
  if (key.code != Key::resize) screen.say("", false);
  ConfigAnswer answer = ConfigAnswer::none;
  if (key.code == Key::up || key.is("k")) step(screen, false);
  else if (key.code == Key::down || key.is("j")) step(screen, true);
  else if (key.code == Key::page_up) screen.cursor -= std::min(screen.cursor, page);
  else if (key.code == Key::page_down) screen.cursor = std::min(screen.cursor + page, count - 1);
  else if (key.code == Key::home) screen.cursor = 0;
  else if (key.code == Key::end) screen.cursor = count - 1;
  else if (key.code == Key::tab || key.code == Key::back_tab) go_to_section(screen, key.code == Key::tab);
  else if (key.is("s") || key.code == Key::save) answer = ask_to_save(screen);
  else if (key.is("q") || key.code == Key::escape) {
    if (!screen.has_changes()) return ConfigAnswer::quit;
    screen.asks_to_quit = true;
  } else press_in_field(screen, key);
  settle(screen, height);
  return answer;
}

Frame draw(const ConfigScreen& given, int width, int height) {
  ConfigScreen screen = given;
  settle(screen, height);
  Frame frame(width, height);
  int x = frame.put(0, 0, " kache config", Style::title);
  if (screen.has_changes()) frame.put(x, 0, " [*] unsaved", Style::warn);
  std::vector<int> widths = fit_columns(kColumns, width);
  size_t page = page_of(height);
  for (size_t i = 0; i < screen.fields.size(); ++i) {
    const ConfigField& field = screen.fields[i];
    int y = 1 + static_cast<int>(line_of(screen, i)) - static_cast<int>(screen.top);
    if (begins_section(screen, i) && y - 1 >= 1 && y - 1 <= static_cast<int>(page)) frame.put(0, y - 1, "[" + field.section + "]", Style::title);
    if (y < 1 || y > static_cast<int>(page)) continue;
    bool is_default = field.source == "default";
    Style style = !field.lock.empty() || is_default ? Style::dim : field.change != ConfigField::kept ? Style::warn : Style::good;
    put_row(frame, 0, y, kColumns, widths, {field.change != ConfigField::kept ? "*" : "", field.name, field.value.empty() ? "-" : field.value, field.source},
            {Style::warn, field.lock.empty() ? Style::plain : Style::dim, style, Style::dim});
    if (i != screen.cursor) continue;
    if (!screen.is_editing) {
      frame.reverse(y);
      continue;
    }
    int column = widths[0] + widths[1] + 4;
    frame.put(column, y, std::string(static_cast<size_t>(std::max(width - column, 0)), ' '));
    put_edit(frame, column, y, width - column, screen.edit);
  }
  int below = 1 + static_cast<int>(page);
  if (height >= kFewestForDetails && !screen.fields.empty()) {
    const ConfigField& field = screen.fields[screen.cursor];
    for (int column = 0; column < width; ++column) frame.put(column, below, "─", Style::dim);
    frame.put_cut(0, below + 1, width, field.help);
    std::string facts = field.type + "; default: " + (field.standard.empty() ? "none" : field.standard);
    frame.put_cut(0, below + 2, width, field.lock.empty() ? facts : facts + "; " + field.lock, Style::dim);
  }
  std::string question = question_of(screen);
  if (!question.empty()) frame.put_cut(0, height - 2, width, question, Style::bad);
  else if (!screen.message.empty()) frame.put_cut(0, height - 2, width, screen.message, screen.is_bad ? Style::bad : Style::good);
  else frame.put(0, height - 2, cut_to_width(screen.file, width, true), Style::dim);
  const char* keys = screen.is_editing ? "Enter keep  Esc discard" : "Enter edit  Space switch  u default  Tab section  s save  q quit";
  frame.put_cut(0, height - 1, width, keys, Style::dim);
  return frame;
}

void mark_saved(ConfigScreen& screen) {
  for (ConfigField& field : screen.fields) {
    if (field.change == ConfigField::set) field.source = "file";
    if (field.change == ConfigField::unset) field.source = "default";
    field.change = ConfigField::kept;
  }
  screen.file_exists = true;
}

}  // namespace kache
