// What the kernel says of a running process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_system.h"

namespace kache {

struct ProcessInfo {
  std::string name;  // of the program, or of the script that it runs; its first 15 bytes
  int pid = 0, parent = 0, group = 0, session = 0;
  uint64_t started = 0;  // in a unit of the system, since the boot: with the pid it names one process of that boot
};

// Nothing where there is no such process, or no word of it is to be had.
std::optional<ProcessInfo> read_process(FileSystem& fs, int pid);

// /proc/<pid>/stat
std::optional<ProcessInfo> parse_proc_stat(std::string_view text);

// Of this process.
struct OwnProcess {
  int parent = 0, session = 0;
  std::string name;
};
OwnProcess own_process();

}  // namespace kache
