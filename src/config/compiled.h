// The compiled form of a TOML file: what the file says, as a flat list, so that the wrapper needs no TOML parser. Written
// by `kache-tool __config-compile`, read by load_config. Format in docs/formats.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kache {

struct CompiledSetting {
  std::string key;                  // "cache.local_max_size"
  bool is_list = false;
  std::vector<std::string> values;  // one, or the items of a list
};

struct CompiledConfig {
  std::vector<CompiledSetting> settings;
  std::string problem;  // why the file can not be used; "" when it can
};

std::string encode_compiled(const CompiledConfig& config);
Result<CompiledConfig> decode_compiled(std::string_view bytes);

}  // namespace kache
