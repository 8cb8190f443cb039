#include "compiler/response_file.h"

#include "base/path.h"

namespace kache {
namespace {

constexpr uint64_t kMaxBytes = 64u << 20;

struct Utf8Row {
  unsigned char first_low, first_high;  // of the first byte
  unsigned char low, high;              // of the second
  size_t size;
};
// The well-formed sequences of more than one byte (Unicode, table 3-7).
constexpr Utf8Row kUtf8[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
    {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

bool is_between(char c, unsigned char low, unsigned char high) {
  auto byte = static_cast<unsigned char>(c);
  return byte >= low && byte <= high;
}

// The bytes of the character that `text` begins with; 0 where it is none.
size_t character_size(std::string_view text) {
  if (is_between(text[0], 0, 0x7f)) return 1;
  for (const Utf8Row& row : kUtf8) {
    if (!is_between(text[0], row.first_low, row.first_high)) continue;
    if (text.size() < row.size || !is_between(text[1], row.low, row.high)) return 0;
    for (size_t i = 2; i < row.size; ++i) {
      if (!is_between(text[i], 0x80, 0xbf)) return 0;
    }
    return row.size;
  }
  return 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    size_t size = character_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

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
