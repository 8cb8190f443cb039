// The parts of a key in the groups by which events and explanations name them: sixteen hex digits each, so that two builds
// can be compared without the key's text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "key/input.h"
#include "key/invocation_key.h"

namespace kache {

struct KeyField {
  std::string_view group;  // compiler args sources env_deps externs link env_cfg remap crate
  std::string digest;
};

// `inputs`: none when nothing is known of them. Groups with nothing in them are left out.
std::vector<KeyField> key_fields(const std::vector<KeyPart>& parts, const InputSet& inputs);

}  // namespace kache
