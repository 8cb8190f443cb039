// Any text: the preset is refused, or comes in and goes again, and the document is the one it was.
#include <cstdlib>
#include <string>

#include <nlohmann/json.hpp>

#include "cli/cmake_presets.h"

using namespace kache;

namespace {

// Without a build preset for ours, which goes with ours whoever wrote it, and without lists that hold nothing: they go with the
// last preset in them.
nlohmann::json meaning(const std::string& text) {
  nlohmann::json document = nlohmann::json::parse(text);
  nlohmann::json builds = nlohmann::json::array(), build = {{"name", "kache"}, {"configurePreset", "kache"}};
  for (const nlohmann::json& one : document.value("buildPresets", builds)) {
    if (one != build) builds.push_back(one);
  }
  document["buildPresets"] = builds;
  for (const char* list : {"configurePresets", "buildPresets"}) {
    if (document.contains(list) && document[list].empty()) document.erase(list);
  }
  return document;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  PresetChoice choice{"kache", size % 2 ? "other" : "", "Ninja", size % 3 != 0};
  (void)find_preset(text);
  (void)preset_launcher(text);
  Result<std::string> removed = remove_preset(text);
  if (removed.ok() && find_preset(text) && find_preset(*removed) && removed->size() >= text.size()) std::abort();
  Result<std::string> added = add_preset(text, choice);
  if (!added.ok()) return 0;
  if (!find_preset(*added)) std::abort();
  Result<std::string> back = remove_preset(*added);
  if (text.find_first_not_of(" \t\r\n") == std::string::npos || !back.ok()) return 0;
  if (meaning(*back) != meaning(text)) std::abort();
  return 0;
}
