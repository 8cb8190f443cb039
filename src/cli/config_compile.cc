#include <cstdio>
#include <sstream>

#include <toml++/toml.h>

#include "cli/command.h"
#include "config/compiled.h"

namespace kache {
namespace {

// A value as the text that an option understands. Floats and dates are no setting of ours and are reported.
bool scalar_text(const toml::node& node, std::string& text) {
  if (const auto* value = node.as_string()) text = value->get();
  else if (const auto* number = node.as_integer()) text = std::to_string(number->get());
  else if (const auto* flag = node.as_boolean()) text = flag->get() ? "true" : "false";
  else return false;
  return true;
}

std::string where(const toml::node& node, const std::string& path, const std::string& key) {
  return path + ":" + std::to_string(node.source().begin.line) + ": " + key;
}

void flatten(const toml::table& table, const std::string& prefix, const std::string& path, CompiledConfig& config) {
  for (const auto& [name, node] : table) {
    std::string key = prefix.empty() ? std::string(name.str()) : prefix + "." + std::string(name.str());
    if (const auto* inner = node.as_table()) {
      flatten(*inner, key, path, config);
      continue;
    }
    CompiledSetting setting;
    setting.key = key;
    bool good = true;
    if (const auto* list = node.as_array()) {
      setting.is_list = true;
      for (const auto& item : *list) good &= scalar_text(item, setting.values.emplace_back());
    } else {
      good = scalar_text(node, setting.values.emplace_back());
    }
    if (!good) {
      if (config.problem.empty()) config.problem = where(node, path, key) + ": a text, number, true/false or list is expected";
      continue;
    }
    config.settings.push_back(std::move(setting));
  }
}

CompiledConfig compile(const std::string& path) {
  CompiledConfig config;
  try {
    flatten(toml::parse_file(path), "", path, config);
  } catch (const toml::parse_error& error) {
    std::ostringstream text;
    text << path << ":" << error.source().begin.line << ": " << error.description();
    config.problem = text.str();
  }
  if (!config.problem.empty()) config.settings.clear();
  return config;
}

}  // namespace

int run_config_compile(const std::string& path) {
  std::string bytes = encode_compiled(compile(path));
  return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() ? 0 : 1;
}

}  // namespace kache
