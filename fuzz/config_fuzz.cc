// Any text as a configuration file: an answer, and one that the wrapper reads as it was written.
#include <cstdlib>
#include <string_view>

#include "cli/command.h"
#include "config/options.h"

using namespace kache;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  CompiledConfig config = compile_config(bytes, "/x/config.toml");
  Result<CompiledConfig> again = decode_compiled(encode_compiled(config));
  if (!again.ok() || again->problem != config.problem || again->settings.size() != config.settings.size()) std::abort();
  Env env(std::vector<std::string>{"HOME=/h"});
  Config into;
  for (const CompiledSetting& setting : config.settings) {
    (void)nearest_key(setting.key);
    for (size_t i = 0; i < option_count(); ++i) {
      if (setting.values.empty() || setting.shape == CompiledSetting::list) (void)set_option_list(options()[i], setting.values, env, into);
      else (void)set_option(options()[i], setting.values.front(), env, into);
    }
  }
  return 0;
}
