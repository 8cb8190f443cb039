#include "wrapper/extra_inputs.h"

#include "base/path.h"
#include "config/config.h"
#include "store/matches.h"

namespace kache {

Result<ExtraInputs> find_extra_inputs(FileSystem& fs, const CommandLine& line, const std::string& helper) {
  ExtraInputs found;
  std::string_view variable = line.env.get_or_empty("CARGO_MANIFEST_DIR");
  if (!is_absolute(variable)) return found;
  std::string dir = tidy_path(variable), rules = join_path(dir, "kache.toml");
  auto ask = [&](InputKind kind, std::string path) {
    Input question;
    question.kind = kind;
    question.path.rest = std::move(path);
    found.questions.push_back(std::move(question));
  };
  if (Result<FileStat> stat = fs.lstat(rules); !stat.ok() && stat.code() == ErrorCode::not_found) {
    ask(InputKind::absent, rules);
    return found;
  }
  std::vector<std::string> patterns = KACHE_TRY(load_extra_inputs(fs, line.env, dir, helper));
  found.files.push_back(rules);
  if (patterns.empty()) return found;
  std::vector<std::string> matches = KACHE_TRY(find_matches(fs, dir, patterns));
  for (const std::string& name : matches) found.files.push_back(join_path(dir, name));
  ask(InputKind::matches, matches_question(dir, patterns));
  return found;
}

}  // namespace kache
