// The parts of `kache doctor`. Each adds its rows to the list, and says to the caller what other rows depend on.
#pragma once

#include <string>
#include <vector>

#include "cli/checklist.h"
#include "cli/command.h"

namespace kache {

// A compiler, under all the names that lead to it.
struct FoundCompiler {
  std::vector<std::string> names;  // "cc", "gcc", "CC"
  std::string path, version;
  std::string mode;  // "recorded", "declared", or "unknown"
  std::string why;   // of the last two
};
std::vector<FoundCompiler> find_rust_compilers(const CommandContext& context);
std::vector<FoundCompiler> find_cc_compilers(const CommandContext& context);
// Runs a small compile under the recorder, and asks for the version.
void examine(const CommandContext& context, FoundCompiler& compiler, bool is_rust);
void list_compilers(const std::vector<FoundCompiler>& compilers, bool is_rust, Checklist& list);

// How builds come to use kache, as far as this environment and directory tell.
struct Way {
  std::string name;   // "RUSTC_WRAPPER", "CC", "shims", "CMakeCache.txt"
  std::string value;  // "kache cc", a directory
  bool works = false;
};
std::vector<Way> check_rust_ways(const CommandContext& context, bool has_rust, bool has_cc_way, Checklist& list);
std::vector<Way> check_cc_ways(const CommandContext& context, Checklist& list);
// The row that says whether there is any. Where Rust is used, C may be none of the user's concern.
void sum_up_cc_ways(const std::vector<Way>& ways, bool has_compiler, bool uses_rust, Checklist& list);

void check_remotes(const CommandContext& context, Checklist& list);

// `doctor --verify`: every entry, and every blob that one names.
int verify_store(const CommandContext& context, const DoctorOptions& options);

std::string recorder_path(const CommandContext& context);
// The program is kache itself, under whatever name.
bool is_this_kache(const CommandContext& context, const std::string& path);

}  // namespace kache
