#include "wrapper/extra_inputs.h"

#include "base/path.h"
#include "key/extra_rules.h"
#include "store/matches.h"

namespace kache {
namespace {

void ask(ExtraInputs& found, InputKind kind, std::string path) {
  Input question;
  question.kind = kind;
  question.path.rest = std::move(path);
  found.questions.push_back(std::move(question));
}

// The files that match now, and the question which ones do.
Status add_matches(FileSystem& fs, const std::string& dir, const std::vector<std::string>& patterns, ExtraInputs& found) {
  if (patterns.empty()) return Ok{};
  std::vector<std::string> matches = KACHE_TRY(find_matches(fs, dir, patterns));
  for (const std::string& name : matches) found.files.push_back(join_path(dir, name));
  ask(found, InputKind::matches, matches_question(dir, patterns));
  return Ok{};
}

Status add_rules_of_package(FileSystem& fs, const CommandLine& line, const std::string& helper, ExtraInputs& found) {
  std::string_view variable = line.env.get_or_empty("CARGO_MANIFEST_DIR");
  if (!is_absolute(variable)) return Ok{};
  std::string dir = tidy_path(variable), rules = join_path(dir, "kache.toml");
  if (Result<FileStat> stat = fs.lstat(rules); !stat.ok() && stat.code() == ErrorCode::not_found) {
    ask(found, InputKind::absent, rules);
    return Ok{};
  }
  std::vector<std::string> patterns = KACHE_TRY(load_extra_inputs(fs, line.env, dir, helper));
  found.files.push_back(rules);
  return add_matches(fs, dir, patterns, found);
}

}  // namespace

Result<ExtraInputs> find_extra_inputs(FileSystem& fs, const CommandLine& line, const Invocation& invocation, const Config& config,
                                      const std::string& helper) {
  ExtraInputs found;
  if (!config.extra_problem.empty()) return Error{ErrorCode::invalid, 0, config.file + ": " + config.extra_problem};
  KACHE_TRY(add_rules_of_package(fs, line, helper, found));
  KACHE_TRY(add_matches(fs, config.extra_dir, extra_patterns(line, invocation, config), found));
  return found;
}

}  // namespace kache
