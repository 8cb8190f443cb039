// The compiled form of a TOML file: what the file says, as a flat list, so that the wrapper needs no TOML parser. Written
// by `kache-tool __config-compile`, read by load_config. Format in docs/formats.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kache {

struct CompiledSetting {
  enum Shape : uint8_t { scalar, list, other };
  std::string key;                  // "cache.local_max_size"
  Shape shape = scalar;             // other: a date, a fraction, a list of lists; without values
  uint64_t line = 0, column = 0;    // of the key, from 1
  std::vector<std::string> values;  // one, or the items of a list
};

struct CompiledConfig {
  std::vector<CompiledSetting> settings;
  std::string problem;  // why the file can not be used, with its place; "" when it can
  uint64_t problem_line = 0, problem_column = 0;  // only as it comes from the compiler
};

std::string encode_compiled(const CompiledConfig& config);
Result<CompiledConfig> decode_compiled(std::string_view bytes);

}  // namespace kache
