#include <string_view>

#include "base/digest.h"
#include "base/file_system.h"
#include "key/cpu.h"

namespace kache {

// /proc/cpuinfo describes each CPU; what names the model and its features is the same for all of them on the machines
// where `native` has a meaning. Frequencies and counters change all the time and are left out.
static constexpr std::string_view kFields[] = {
    "vendor_id", "cpu family", "model", "model name", "stepping", "flags",  // x86
    "CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features",  // arm
    "isa", "uarch",  // riscv
    "cpu", "machine",  // power
};

std::string cpu_identity(FileSystem& fs) {
  // Procfs files have no size; one page holds the first CPU, whose entry ends at the empty line.
  Result<std::string> text = read_file(fs, "/proc/cpuinfo", 16u << 20);
  if (!text.ok()) return "unknown";
  Hasher hasher;
  std::string_view rest = *text;
  rest = rest.substr(0, rest.find("\n\n"));
  while (!rest.empty()) {
    size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    std::string_view name = line.substr(0, line.find(':'));
    while (!name.empty() && (name.back() == '\t' || name.back() == ' ')) name.remove_suffix(1);
    for (std::string_view field : kFields) {
      if (name == field) hasher.field("cpu", line);
    }
  }
  return hasher.finish().hex();
}

}  // namespace kache
