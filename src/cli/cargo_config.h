// Editing cargo's config.toml as text: one value is set, every other byte stays.
#pragma once

#include <string>

#include "base/result.h"

namespace kache {

struct CargoEdit {
  enum Kind { already_set, create, replace, add } kind = add;
  std::string old_value;  // of `replace`
  std::string text;       // the new file
};

// `invalid` when the text is no TOML, or when the place of the value can not be found in it (an inline or dotted table).
Result<CargoEdit> set_rustc_wrapper(const std::string& text, const std::string& value);

// The value that stands in it; "" where there is none.
Result<std::string> rustc_wrapper_of(const std::string& text);

}  // namespace kache
