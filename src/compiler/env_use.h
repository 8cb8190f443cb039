// How a Rust source uses `env!("NAME")`: only to name a file that is included, or as a value.
//
// `include!(concat!(env!("OUT_DIR"), "/made.rs"))` leaves nothing of the variable in the result; `env!("OUT_DIR").len()`
// leaves something that no search for the text can find. Reads text, not syntax: a use in a form that is not known here
// counts as a value, and so does one in a doc comment of several lines. Line comments are skipped.
#pragma once

#include <cstddef>
#include <string_view>

namespace kache {

struct EnvUses {
  size_t includes = 0;  // inside include!, include_str! or include_bytes!
  size_t values = 0;    // all others, option_env! too
};

EnvUses find_env_uses(std::string_view source, std::string_view name);

}  // namespace kache
