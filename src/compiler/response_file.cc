#include "compiler/response_file.h"

#include "base/path.h"
#include "base/utf8.h"

namespace kache {
namespace {

constexpr uint64_t kMaxBytes = 64u << 20;

void take_lines(std::string_view bytes, std::vector<std::string>& args) {
  while (!bytes.empty()) {
    size_t end = bytes.find('\n');
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    args.emplace_back(line);
  }
}

}  // namespace

Result<Expanded> expand_response_files(FileSystem& fs, const std::vector<std::string>& args, const std::string& cwd) {
  Expanded out;
  out.args.reserve(args.size());
  for (const std::string& arg : args) {
    if (!arg.starts_with('@')) {
      out.args.push_back(arg);
      continue;
    }
    if (arg.starts_with("@shell:")) return Error{ErrorCode::unsupported, 0, arg + ": shell syntax"};
    if (arg.size() == 1) return Error{ErrorCode::invalid, 0, arg + ": no file name"};
    std::string bytes = KACHE_TRY(read_file(fs, absolute_path(cwd, std::string_view(arg).substr(1)), kMaxBytes));
    if (!is_utf8(bytes)) return Error{ErrorCode::invalid, 0, arg + ": not UTF-8"};
    if (bytes.find('\0') != std::string::npos) return Error{ErrorCode::invalid, 0, arg + ": holds a zero byte"};
    take_lines(bytes, out.args);
    out.any = true;
  }
  return out;
}

Result<std::string> write_response_file(const std::vector<std::string>& args) {
  std::string bytes;
  for (const std::string& arg : args) {
    if (arg.find('\n') != std::string::npos || arg.ends_with('\r')) {
      return Error{ErrorCode::invalid, 0, "argument can not be a line of a response file: " + arg};
    }
    bytes += arg;
    bytes += '\n';
  }
  return bytes;
}

}  // namespace kache
