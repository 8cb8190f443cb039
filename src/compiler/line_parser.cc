#include "compiler/line_parser.h"

#include "base/path.h"

namespace kache {

bool is_device(std::string_view path) {
  return (is_below(path, "/dev") && !is_below(path, "/dev/shm")) || is_below(path, "/proc");
}

void LineParser::add_key(std::string text, std::string_view path) {
  inv().key_args.push_back({std::move(text), std::string(path)});
}

void LineParser::take_line(Family family) {
  inv().family = family;
  inv().program = line_.argv.front();
  inv().args.assign(line_.argv.begin() + 1, line_.argv.end());
}

bool LineParser::take_response_files(Quoting quoting) {
  Result<QuotedArgs> expanded = expand_quoted_files(fs_, inv().args, line_.cwd, quoting);
  if (!expanded.ok()) {
    refuse(Refusal::response_file, expanded.error().message);
    return false;
  }
  args_ = std::move(expanded->args);
  inv().argument_files = std::move(expanded->files);
  return true;
}

}  // namespace kache
