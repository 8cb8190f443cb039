// The options: one table of every setting, read by the environment overlay, the compiled file, the commands that show and
// change settings, and the manual.
#pragma once

#include <string_view>
#include <variant>

#include "base/env.h"
#include "config/config.h"

namespace kache {

// monostate: known, and nothing here uses it.
using OptionMember = std::variant<std::monostate, bool Config::*, uint64_t Config::*, std::string Config::*,
                                  std::vector<std::string> Config::*, VerifyRestores Config::*,
                                  ProgressMode Config::*, PrefixMap Config::*, uint8_t Config::*>;

enum class OptionType : uint8_t {
  boolean, integer, percent, size, hours, seconds, milliseconds, text, path,
  list,     // items; in a variable apart by commas or spaces
  paths,    // the same, with ~
  words,    // items; in a variable apart by spaces only
  command,  // a program and its arguments, or off
  verify, progress, prefix_map, level,
};

struct Option {
  std::string_view key;       // "cache.local_max_size"; "" when only the environment sets it
  std::string_view variable;  // "KACHE_MAX_SIZE"; "" when only the file sets it
  OptionType type;
  OptionMember member;
  std::string_view help;

  bool is_list() const { return type == OptionType::list || type == OptionType::paths || type == OptionType::words; }
  bool is_used() const { return !std::holds_alternative<std::monostate>(member); }
  std::string_view name() const { return key.empty() ? variable : key; }
};

// What this program uses; and behind it what is known from the program whose files are read too.
const Option* options();
size_t option_count();
const Option* known_options();
size_t known_option_count();
// By its key, used or only known; nullptr when there is none.
const Option* find_option(std::string_view key);

// Sets one option from its text. `invalid`, naming what was expected, when the text is no such value.
Status set_option(const Option& option, std::string_view text, const Env& env, Config& config);
// A list whose items are already apart, as a file has it. `invalid` when the option is no list or an item is no such value;
// the good items count all the same.
Status set_option_list(const Option& option, std::vector<std::string> items, const Env& env, Config& config);

// What the option is set to: one text, or the items of a list. Empty for an option that is not used.
using OptionValue = std::vector<std::string>;
OptionValue option_value(const Option& option, const Config& config);
// The values of an option that has a fixed set of them; empty for others.
std::vector<std::string_view> option_words(const Option& option);

// What a file may say that nothing here uses: a key of another feature, or of the program whose files are read.
bool is_foreign_key(std::string_view key);
// The known key that is spelled most like this one; "" when none is near.
std::string_view nearest_key(std::string_view key);

// The items of a list, as they stand in a variable.
std::vector<std::string> split_list(const Option& option, std::string_view text);

// "10MiB", "1.5 g", "4096"
Result<uint64_t> parse_size(std::string_view text);
Result<bool> parse_bool(std::string_view text);
// "~" and "~/x".
std::string expand_home(std::string_view path, const Env& env);
// $NAME and ${NAME}; CARGO_HOME is known where it is not set.
std::string expand_variables(std::string_view text, const Env& env);

}  // namespace kache
