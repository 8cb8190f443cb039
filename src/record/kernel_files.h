// Kernel files: what lies below /proc, /dev and /sys. Most of it is no file with a content that could be an input; some of
// it is another name for one, and some of it tells of the machine or the moment.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kache {

// /dev/shm holds ordinary files.
bool is_kernel_path(std::string_view path);

// "/proc/self/cwd/x" → "<cwd>/x", "/proc/<pid>/root/x" → "/x"; "" for what is no other name of a file. (Sources are
// remapped to /proc/self/cwd, so a proc macro that asks where its caller stands may well read by that name.)
std::string behind_kernel_path(std::string_view path, std::string_view cwd, uint32_t pid);

// The environment of a process, as a file.
bool is_environment_file(std::string_view path);

// Compilers, linkers and allocators read it in every compile and make nothing of it but speed; or it is the process
// itself.
bool is_harmless_kernel_file(std::string_view path);

}  // namespace kache
