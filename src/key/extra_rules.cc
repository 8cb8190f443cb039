#include "key/extra_rules.h"

#include <algorithm>

#include "base/glob.h"
#include "base/path.h"

namespace kache {
namespace {

// Crates are called with '_' by rustc and with '-' by people.
bool is_named(const ExtraRule& rule, std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return std::any_of(rule.crates.begin(), rule.crates.end(), [&](std::string crate) {
    std::replace(crate.begin(), crate.end(), '-', '_');
    return glob_match(crate, name);
  });
}

bool concerns(const ExtraRule& rule, const Invocation& invocation) {
  if (rule.crates.empty() || is_named(rule, invocation.crate_name)) return true;
  if (!rule.for_dependents) return false;
  return std::any_of(invocation.externs.begin(), invocation.externs.end(), [&](const Extern& used) {
    // The name may be another one that Cargo.toml gives; the file has the crate's own: libdb_macros-1a2b.so.
    std::string file(base_name(used.path));
    std::string own = file.substr(0, file.rfind('-'));
    if (own.starts_with("lib")) own.erase(0, 3);
    return is_named(rule, used.name) || is_named(rule, own);
  });
}

}  // namespace

std::vector<std::string> extra_patterns(const CommandLine& line, const Invocation& invocation, const Config& config) {
  std::vector<std::string> patterns;
  if (config.extra_rules.empty()) return patterns;
  std::string_view package = line.env.get_or_empty("CARGO_MANIFEST_DIR");
  if (!is_below(is_absolute(package) ? tidy_path(package) : line.cwd, config.extra_dir)) return patterns;
  for (const ExtraRule& rule : config.extra_rules) {
    if (concerns(rule, invocation)) patterns.insert(patterns.end(), rule.patterns.begin(), rule.patterns.end());
  }
  std::sort(patterns.begin(), patterns.end());
  patterns.erase(std::unique(patterns.begin(), patterns.end()), patterns.end());
  return patterns;
}

}  // namespace kache
