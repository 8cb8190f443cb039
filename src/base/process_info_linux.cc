#include <sys/prctl.h>
#include <unistd.h>

#include <charconv>

#include "base/process_info.h"

namespace kache {
namespace {

// The next word as a number, and `rest` behind it.
template <typename T>
bool take_number(std::string_view& rest, T& value) {
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc()) return false;
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  return true;
}

}  // namespace

std::optional<ProcessInfo> parse_proc_stat(std::string_view text) {
  ProcessInfo info;
  if (!take_number(text, info.pid)) return std::nullopt;
  // The name may hold anything, brackets and line feeds too; no field behind it holds a bracket.
  size_t open = text.find('('), close = text.rfind(')');
  if (open == text.npos || close == text.npos || close < open) return std::nullopt;
  info.name = text.substr(open + 1, close - open - 1);
  std::string_view rest = text.substr(close + 1);
  if (rest.size() < 3 || rest[0] != ' ') return std::nullopt;
  rest.remove_prefix(2);  // the state
  if (!take_number(rest, info.parent) || !take_number(rest, info.group) || !take_number(rest, info.session)) {
    return std::nullopt;
  }
  constexpr int kFieldsToStart = 15;  // from tty_nr to itrealvalue
  for (int i = 0; i < kFieldsToStart; ++i) {
    uint64_t any = 0;
    while (rest.starts_with(' ') || rest.starts_with('-')) rest.remove_prefix(1);
    if (!take_number(rest, any)) return std::nullopt;
  }
  if (!take_number(rest, info.started)) return std::nullopt;
  return info;
}

std::optional<ProcessInfo> read_process(FileSystem& fs, int pid) {
  std::string path = "/proc/" + std::to_string(pid) + "/stat";
  Result<File> file = open_file(fs, path);
  if (!file.ok()) return std::nullopt;
  char buffer[512];  // the start is at most 16 numbers behind the name
  Result<size_t> got = fs.read_at(file->handle(), 0, buffer, sizeof buffer);
  return got.ok() ? parse_proc_stat({buffer, *got}) : std::nullopt;
}

OwnProcess own_process() {
  char name[16] = "";
  ::prctl(PR_GET_NAME, name);
  return {::getppid(), ::getsid(0), name};
}

}  // namespace kache
