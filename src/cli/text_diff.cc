#include "cli/text_diff.h"

#include <stdlib.h>
#include <unistd.h>

#include <sstream>

#include "base/path.h"
#include "wrapper/process.h"

namespace kache {
namespace {

constexpr uint64_t kLargest = uint64_t{1} << 20;

std::string said(const CommandContext& context, std::vector<std::string> argv) {
  Env env = context.env;
  env.set("GIT_OPTIONAL_LOCKS", "0");
  Result<ProcessResult> result = system_processes().run_quietly(argv, env);
  return result.ok() ? result->standard_output : "";
}

// The staged version, and those of the newest commits that touched the file.
std::string elder_version(const CommandContext& context, const std::string& path, const Digest& digest) {
  std::string dir(dir_name(path)), name(base_name(path));
  std::istringstream commits(":\n" + said(context, {"git", "-C", dir, "log", "-n", "30", "--format=%H:", "--", name}));
  for (std::string commit; std::getline(commits, commit);) {
    std::string text = said(context, {"git", "-C", dir, "show", commit + "./" + name});
    if (digest_bytes(text) == digest) return text;
  }
  return "";
}

bool is_text(const std::string& bytes) { return bytes.find('\0') == std::string::npos; }

}  // namespace

std::string text_diff(const CommandContext& context, const std::string& path, const Digest& before, const Digest& after, size_t most_lines) {
  Result<std::string> now = read_file(context.fs, path, kLargest);
  if (!now.ok() || digest_bytes(*now) != after || !is_text(*now)) return "";
  std::string elder = elder_version(context, path, before);
  if (elder.empty() || !is_text(elder)) return "";
  char name[] = "/tmp/kache-elder-XXXXXX";
  int fd = ::mkstemp(name);
  if (fd < 0) return "";
  write_fully(fd, elder);
  ::close(fd);
  std::istringstream lines(said(context, {"git", "diff", "--no-index", "--no-color", "--no-ext-diff", "-U0", "--", name, path}));
  ::unlink(name);
  std::string out;
  size_t kept = 0;
  bool in_hunk = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("@@")) {
      in_hunk = true;
      continue;
    }
    if (!in_hunk) continue;
    if (kept++ == most_lines) return out + "...\n";
    out += line + "\n";
  }
  return out;
}

}  // namespace kache
