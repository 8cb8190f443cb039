// The editor of `kache config`: every option with its value and source. Knows nothing of files: what was changed stands in the
// fields, and the caller saves it.
#pragma once

#include <functional>
#include <vector>

#include "tui/line_edit.h"
#include "tui/list.h"

namespace kache {

struct ConfigField {
  std::string section;  // "cache"; "environment" for what only a variable sets
  std::string name;     // "local_max_size"
  std::string key;      // "cache.local_max_size"
  std::string value;    // as somebody types it; of a list in TOML's notation
  std::string standard;
  std::string source;  // "default", "line 3", "KACHE_MAX_SIZE"
  std::string help, type;
  std::string lock;  // why it can not be changed here; "": it can
  bool is_switch = false;

  enum Change : uint8_t { kept, set, unset } change = kept;
  std::string saved_value = {}, saved_source = {};  // before it was changed
};

struct ConfigScreen {
  std::vector<ConfigField> fields;
  std::string file;          // that a save writes
  bool file_exists = false;  // and is overwritten
  // "" when `text` is such a value, else what is expected.
  std::function<std::string(const ConfigField& field, const std::string& text)> check;

  size_t cursor = 0;  // a field
  size_t top = 0;     // a line; headings count
  bool is_editing = false, asks_to_quit = false, asks_to_write = false, may_write = false;
  LineEdit edit;
  std::string message;
  bool is_bad = false;  // the message

  bool has_changes() const;
  void say(std::string text, bool bad) { message = std::move(text), is_bad = bad; }
};

enum class ConfigAnswer : uint8_t { none, quit, save };

ConfigAnswer press(ConfigScreen& screen, const Key& key, int height);
Frame draw(const ConfigScreen& screen, int width, int height);
// The file holds what the fields say.
void mark_saved(ConfigScreen& screen);

}  // namespace kache
