#include "compiler/real_compiler.h"

#include <algorithm>

#include "base/path.h"
#include "compiler/cc_response.h"

namespace kache {
namespace {

bool was_started(const Env& env, std::string_view path) {
  std::string_view rest = env.get_or_empty(kStartedVariable);
  while (!rest.empty()) {
    size_t colon = rest.find(':');
    if (rest.substr(0, colon) == path) return true;
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
  }
  return false;
}

}  // namespace

std::string find_behind_shims(FileSystem& fs, std::string_view name, const Env& env, const std::string& cwd,
                              const std::string& self, bool* passed_over) {
  Result<FileStat> own = fs.stat(self);
  std::string_view rest = env.get_or_empty("PATH");
  for (;;) {
    size_t colon = rest.find(':');
    std::string candidate = absolute_path(cwd, join_path(rest.substr(0, colon), name));
    Result<FileStat> stat = fs.stat(candidate);
    bool is_program = stat.ok() && stat->is_regular() && stat->is_executable();
    bool is_own = is_program && ((own.ok() && stat->dev == own->dev && stat->ino == own->ino) || was_started(env, candidate));
    if (is_own && passed_over) *passed_over = true;
    if (is_program && !is_own) return candidate;
    if (colon == std::string_view::npos) return {};
    rest.remove_prefix(colon + 1);
  }
}

std::string compiler_of_cc_crate(const Env& env, std::string_view self_name) {
  std::string target(env.get_or_empty("TARGET"));
  std::string folded = target;
  std::replace(folded.begin(), folded.end(), '-', '_');
  for (const char* language : {"CC", "CXX"}) {
    std::string name = language;
    for (const std::string& variable : {name + "_" + target, name + "_" + folded, "TARGET_" + name, name, "HOST_" + name}) {
      std::vector<std::string> words = split_quoted(env.get_or_empty(variable), Quoting::gnu);
      if (words.size() > 1 && base_name(words[0]) == self_name) return words[1];
    }
  }
  return "cc";
}

}  // namespace kache
