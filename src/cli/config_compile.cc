#include <cstdio>

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

bool is_list_of_tables(const toml::node& node) {
  const toml::array* list = node.as_array();
  return list && !list->empty() && list->is_homogeneous(toml::node_type::table);
}

void flatten(const toml::table& table, const std::string& prefix, CompiledConfig& config) {
  for (const auto& [name, node] : table) {
    std::string key = prefix.empty() ? std::string(name.str()) : prefix + "." + std::string(name.str());
    if (const auto* inner = node.as_table()) {
      flatten(*inner, key, config);
      continue;
    }
    if (is_list_of_tables(node)) {  // key.0.name, key.1.name
      size_t number = 0;
      for (const auto& item : *node.as_array()) flatten(*item.as_table(), key + "." + std::to_string(number++), config);
      continue;
    }
    CompiledSetting setting;
    setting.key = key;
    setting.line = name.source().begin.line;
    setting.column = name.source().begin.column;
    bool good = true;
    if (const auto* list = node.as_array()) {
      setting.shape = CompiledSetting::list;
      for (const auto& item : *list) good &= scalar_text(item, setting.values.emplace_back());
    } else {
      good = scalar_text(node, setting.values.emplace_back());
    }
    if (!good) {
      setting.shape = CompiledSetting::other;
      setting.values.clear();
    }
    config.settings.push_back(std::move(setting));
  }
}

constexpr uint64_t kMaxFileSize = 1u << 20;

}  // namespace

CompiledConfig compile_config(std::string_view text, const std::string& path) {
  CompiledConfig config;
  try {
    flatten(toml::parse(text, path), "", config);
  } catch (const toml::parse_error& error) {
    config.problem_line = error.source().begin.line;
    config.problem_column = error.source().begin.column;
    config.problem = path + ":" + std::to_string(config.problem_line) + ":" + std::to_string(config.problem_column) + ": " +
                     std::string(error.description());
  }
  return config;
}

int run_config_compile(const std::string& path) {
  Result<std::string> text = read_file(posix_file_system(), path, kMaxFileSize);
  CompiledConfig config;
  if (text.ok()) config = compile_config(*text, path);
  else config.problem = text.error().message;
  std::string bytes = encode_compiled(config);
  return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() ? 0 : 1;
}

}  // namespace kache
