// Toolchain identity: the content of a compiler, so that two builds with one version banner never share a result.
//
// It covers the program and what lies beside it in its sysroot (libraries of the compiler, standard library, bundled
// linkers). What a compiler loads from elsewhere, the recorder sees and it becomes an ordinary input; so a shim (rustup's)
// or a script is sound too, only with longer traces. Memoised by the stat of every covered file.
#pragma once

#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "base/file_system.h"
#include "store/layout.h"
#include "store/memo.h"

namespace kache {

struct Toolchain {
  std::string program;             // real path
  std::string sysroot;             // "" where the program lies in none
  Digest identity;
  std::vector<std::string> files;  // covered, real paths; directories are not among them
};

// For compilers of the C family the program alone: what it executes and loads is recorded, and becomes an input.
enum class ToolchainKind : uint8_t { rustc, program };

// `target`: as given by --target, "" for the host. `before_reading` is called when it is not known yet, and hundreds of megabytes
// are about to be read.
Result<Toolchain> identify_toolchain(FileSystem& fs, Clock& clock, Memo& memo, const StoreLayout& layout, const std::string& program,
                                     const std::string& target, ToolchainKind kind, const std::function<void()>& before_reading);

// "rustc" → the first executable of that name on PATH; a path with a slash → itself, absolute.
std::string find_executable(FileSystem& fs, std::string_view program, const Env& env, const std::string& cwd);

}  // namespace kache
