#include "wrapper/policy.h"

#include <algorithm>

#include "base/glob.h"
#include "base/path.h"

namespace kache {
namespace {

// rustc's names have '_' where cargo's packages have '-'; the name of a C source may have either.
std::string folded(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

bool names_crate(const std::vector<std::string>& list, const Invocation& invocation) {
  std::string crate = folded(invocation.crate_name);
  return std::any_of(list.begin(), list.end(), [&](const std::string& name) { return folded(name) == crate; });
}

Refused check_exclude(const CommandLine& line, const Invocation& invocation, const Config& config) {
  if (invocation.source.empty()) return {};
  std::string absolute = absolute_path(line.cwd, invocation.source);
  for (const std::string& pattern : config.exclude) {
    bool matches = glob_match(pattern, absolute) || glob_match(pattern, invocation.source) ||
                   (is_below(absolute, line.cwd) && glob_match(pattern, relative_to(absolute, line.cwd)));
    if (matches) return {Refusal::excluded_source, pattern};
  }
  return {};
}

Refused check_crates(const CommandLine&, const Invocation& invocation, const Config& config) {
  if (names_crate(config.bypass_crates, invocation)) return {Refusal::bypass_crate, invocation.crate_name};
  return {};
}

Refused check_argv(const CommandLine& line, const Invocation&, const Config& config) {
  for (const std::string& text : config.bypass_argv) {
    for (const std::string& arg : line.argv) {
      if (!text.empty() && arg.find(text) != std::string::npos) return {Refusal::bypass_argv, text};
    }
  }
  return {};
}

Refused check_env(const CommandLine& line, const Invocation&, const Config& config) {
  for (const std::string& rule : config.bypass_env) {
    size_t equals = rule.find('=');
    const char* value = line.env.get(std::string_view(rule).substr(0, equals));
    if (value && (equals == std::string::npos || rule.substr(equals + 1) == value)) return {Refusal::bypass_env, rule};
  }
  return {};
}

Refused check_executables(const CommandLine&, const Invocation& invocation, const Config& config) {
  if (invocation.family != Family::rustc) return {};
  bool links = std::any_of(invocation.emits.begin(), invocation.emits.end(),
                           [](const Emit& emit) { return emit.kind == "link"; });
  if (!config.cache_executables && links && invocation.makes_user_executable()) return {Refusal::executables_off, {}};
  return {};
}

Refused check_links(const CommandLine&, const Invocation& invocation, const Config& config) {
  bool is_link = invocation.purpose == Purpose::link || invocation.purpose == Purpose::archive;
  if (is_link && !config.cc_cache_links) return {Refusal::links_off, {}};
  return {};
}

Refused check_incremental(const CommandLine&, const Invocation& invocation, const Config& config) {
  if (!invocation.incremental_dir) return {};
  if (config.preserve_incremental) return {Refusal::preserved_incremental, {}};
  if (names_crate(config.incremental_crates, invocation)) return {Refusal::incremental_crate, invocation.crate_name};
  return {};
}

using Rule = Refused (*)(const CommandLine&, const Invocation&, const Config&);
constexpr Rule kCompileRules[] = {check_exclude, check_crates,      check_argv,
                                  check_env,     check_executables, check_incremental, check_links};

}  // namespace

Refused check_policy(const CommandLine& line, const Invocation& invocation, const Config& config) {
  if (invocation.purpose == Purpose::probe) return {};
  for (Rule rule : kCompileRules) {
    if (Refused refused = rule(line, invocation, config)) return refused;
  }
  return {};
}

}  // namespace kache
