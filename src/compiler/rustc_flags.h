// The flags of rustc, as one table: how each is spelled and what it means to a cache.
//
// Source: `rustc --help -v` and `rustc -C help` of 1.95, `rustc -Z help` of the nightly 1.97. A flag that is not here is
// safe: it goes into the key as it stands.
#pragma once

#include <cstdint>
#include <string_view>

namespace kache {

enum class Flag : uint8_t {
  unknown,
  keyed,            // takes a value and needs nothing but to be in the key
  switch_only,      // takes no value, in the key
  cfg, crate_name, crate_type, emit, print, out_dir, output, target, library_dir, library, external, sysroot,
  remap, codegen, unstable, error_format, json, color, width, test, help, version, explain, pretty, verbose,
};

struct FlagRow {
  std::string_view name;  // with its dashes
  Flag flag;
  bool takes_value;
};

// Exact names: "--crate-name", "-C". nullptr for others.
const FlagRow* find_flag(std::string_view name);

}  // namespace kache
