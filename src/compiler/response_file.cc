#include "compiler/response_file.h"

#include "base/path.h"

namespace kache {

Result<Expanded> expand_response_files(FileSystem& fs, const std::vector<std::string>& args, const std::string& cwd) {
  Expanded out;
  for (const std::string& arg : args) {
    if (!arg.starts_with('@')) {
      out.args.push_back(arg);
      continue;
    }
    if (arg.starts_with("@shell:")) return Error{ErrorCode::unsupported, 0, arg + ": shell syntax"};
    std::string bytes = KACHE_TRY(read_file(fs, absolute_path(cwd, arg.substr(1)), 16u << 20));
    out.any = true;
    for (size_t start = 0; start < bytes.size();) {
      size_t end = bytes.find('\n', start);
      if (end == std::string::npos) end = bytes.size();
      size_t length = end - start;
      if (length > 0 && end < bytes.size() && bytes[end - 1] == '\r') --length;
      out.args.push_back(bytes.substr(start, length));
      if (out.args.back().find('\0') != std::string::npos) {
        return Error{ErrorCode::invalid, 0, arg + ": holds a zero byte"};
      }
      start = end + 1;
    }
  }
  return out;
}

}  // namespace kache
