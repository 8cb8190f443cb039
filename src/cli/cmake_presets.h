// The preset "kache" in a CMakeUserPresets.json, edited as text: it comes and goes, every other byte stays.
//
// Each edit is parsed and compared with the document that was meant; a text for which they differ is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kache {

inline constexpr const char* kPresetName = "kache";

struct PresetChoice {
  std::string launcher;            // "kache", or its path
  std::string inherits;            // another preset, or ""
  std::string generator;           // used where the file is so old that a preset has to name one
  bool has_build_preset = true;    // a build preset of the same name goes with it
};

// `invalid` when the text is no JSON, or holds a preset of this name that is somebody else's.
Result<std::string> add_preset(const std::string& text, const PresetChoice& choice);
// The text without it; the same text where there is none of ours.
Result<std::string> remove_preset(const std::string& text);

// What was chosen for the preset that stands there; none where it is not ours.
std::optional<PresetChoice> find_preset(const std::string& text);
// The launcher of a preset of this name, whoever wrote it; "" where there is none.
std::string preset_launcher(const std::string& text);

}  // namespace kache
