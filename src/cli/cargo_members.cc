#include "cli/cargo_members.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "wrapper/process.h"

namespace kache {

Result<std::set<std::string>> workspace_members(const CommandContext& context, const std::string& manifest_path) {
  std::vector<std::string> command = {"cargo", "metadata", "--no-deps", "--format-version", "1"};
  if (!manifest_path.empty()) command.insert(command.end(), {"--manifest-path", manifest_path});
  Env env = context.env;
  env.unset("RUSTC_WRAPPER");
  ProcessResult answer = KACHE_TRY(system_processes().run_quietly(command, env));
  if (!answer.succeeded()) return Error{ErrorCode::invalid, 0, "--workspace: cargo metadata says: " + answer.standard_error.substr(0, answer.standard_error.find('\n'))};
  nlohmann::json metadata = nlohmann::json::parse(answer.standard_output, nullptr, false);
  std::set<std::string> names;
  if (metadata.is_object() && metadata.contains("packages") && metadata["packages"].is_array()) {
    for (const auto& package : metadata["packages"]) {
      if (!package.is_object() || !package.contains("targets")) continue;
      for (const auto& target : package["targets"]) {
        std::string name = target.value("name", "");
        std::replace(name.begin(), name.end(), '-', '_');
        if (!name.empty()) names.insert(name);
      }
    }
  }
  if (names.empty()) return Error{ErrorCode::invalid, 0, "--workspace: no members found"};
  return names;
}

}  // namespace kache
