#include "compiler/invocation.h"

#include <algorithm>

#include "base/path.h"

namespace kache {

std::string Invocation::output_dir() const {
  if (!out_dir.empty()) return out_dir;
  std::string_view dir = dir_name(output_file);
  return dir.empty() ? "." : std::string(dir);
}

std::vector<std::string> Invocation::output_stems() const {
  std::vector<std::string> stems;
  std::string name = crate_name + extra_filename;
  if (!output_file.empty()) {
    // Beside -o x/foo.so rustc puts foo.d, foo.o, …
    std::string_view file = base_name(output_file);
    size_t dot = file.rfind('.');
    stems.emplace_back(dot == std::string_view::npos || dot == 0 ? file : file.substr(0, dot));
    stems.push_back("lib" + stems.front());
  }
  stems.push_back(name);
  stems.push_back("lib" + name);
  return stems;
}

bool Invocation::makes_user_executable() const {
  if (is_test) return true;
  return crate_types.empty() || std::find(crate_types.begin(), crate_types.end(), "bin") != crate_types.end();
}

bool Invocation::links() const {
  if (makes_user_executable()) return true;
  return std::any_of(crate_types.begin(), crate_types.end(), [](const std::string& type) {
    return type == "cdylib" || type == "dylib" || type == "proc-macro" || type == "sdylib";
  });
}

}  // namespace kache
