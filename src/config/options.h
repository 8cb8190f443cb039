// The options: one table of every setting, read by the environment overlay, the compiled file and the tool's messages.
#pragma once

#include <string_view>
#include <variant>

#include "base/env.h"
#include "config/config.h"

namespace kache {

using OptionMember = std::variant<bool Config::*, uint64_t Config::*, std::string Config::*,
                                  std::vector<std::string> Config::*, VerifyRestores Config::*,
                                  ProgressMode Config::*, PrefixMap Config::*, uint8_t Config::*>;

enum class OptionType : uint8_t { boolean, integer, size, text, path, list, paths, words, verify, progress, prefix_map, level };

struct Option {
  std::string_view key;       // "cache.local_max_size"; "" when only the environment sets it
  std::string_view variable;  // "KACHE_MAX_SIZE"; "" when only the file sets it
  OptionType type;
  OptionMember member;
  std::string_view help;
};

// The table and its length.
const Option* options();
size_t option_count();

// Sets one option from its text. `invalid`, naming what was expected, when the text is no such value.
Status set_option(const Option& option, std::string_view text, const Env& env, Config& config);
// A list whose items are already apart, as a file has it. `invalid` when the option is no list or an item is no such value;
// the good items count all the same.
Status set_option_list(const Option& option, std::vector<std::string> items, const Env& env, Config& config);

// What a file may say that this table does not hold: a key of another feature, or of the program whose files are read.
bool is_foreign_key(std::string_view key);
// The known key that is spelled most like this one; "" when none is near.
std::string_view nearest_key(std::string_view key);

// "10MiB", "1.5 g", "4096"
Result<uint64_t> parse_size(std::string_view text);
Result<bool> parse_bool(std::string_view text);
// "~" and "~/x".
std::string expand_home(std::string_view path, const Env& env);
// $NAME and ${NAME}; CARGO_HOME is known where it is not set.
std::string expand_variables(std::string_view text, const Env& env);

}  // namespace kache
