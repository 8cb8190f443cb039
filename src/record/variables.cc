#include <algorithm>
#include <iterator>

#include "record/collect.h"

namespace kache {
namespace {

struct Harmless {
  std::string_view name;  // a trailing '*' stands for any rest
  std::string_view why;
};

// Variables that the compiler, the linker or libc ask for and that do not shape outputs, diagnostics or exit status of a
// successful compile. Everything that is not here is an input.
constexpr Harmless kHarmless[] = {
    {"KACHE_*", "ours; what matters of it is in the key"},
    {"PATH", "each program that was looked up is an input of its own"},
    {"LD_PRELOAD", "carries the recorder; what it loads is recorded as mapped"},
    {"LD_LIBRARY_PATH", "what it makes the linker load is recorded as mapped"},
    {"PWD", "the working directory is in the key"},
    {"OLDPWD", "a shell's memory"},
    {"SHLVL", "a shell's memory"},
    {"_", "a shell's memory"},
    {"TMPDIR", "where temporary files go"},
    {"TMP", "where temporary files go"},
    {"TEMP", "where temporary files go"},
    {"TERM", "colours are decided by --color and --error-format, which are in the key"},
    {"COLORTERM", "as TERM"},
    {"NO_COLOR", "as TERM"},
    {"CLICOLOR", "as TERM"},
    {"CLICOLOR_FORCE", "as TERM"},
    {"COLUMNS", "width of the terminal"},
    {"MAKEFLAGS", "jobserver"},
    {"MFLAGS", "jobserver"},
    {"CARGO_MAKEFLAGS", "jobserver"},
    {"MAKELEVEL", "jobserver"},
    {"RUSTC_LOG*", "logging of the compiler, not its diagnostics"},
    {"RUST_LOG*", "logging"},
    {"RUST_BACKTRACE", "printed only when the compiler crashes"},
    {"RUST_LIB_BACKTRACE", "printed only when the compiler crashes"},
    {"RUST_MIN_STACK", "stack of the compiler's threads"},
    {"RUSTC_ICE", "where a crash is reported"},
    {"RUST_SAVE_ANALYSIS_CONFIG", "written beside, never an output of ours"},
    {"RUSTUP_FORCE_ARG0", "set by rustup for itself"},
    {"RUST_RECURSION_COUNT", "set by rustup for itself"},
    {"MALLOC_*", "allocator"},
    {"_RJEM_MALLOC_CONF", "allocator"},
    {"GLIBC_TUNABLES", "libc"},
    {"MIMALLOC_*", "allocator"},
    {"RAYON_NUM_THREADS", "threads of the compiler"},
    {"RUSTC_THREADS*", "threads of the compiler"},
    {"LD_BIND_NOW", "dynamic linker"},
    {"LD_DEBUG*", "dynamic linker"},
    {"XDG_RUNTIME_DIR", "a place"},
    {"DEBUGINFOD_URLS", "asked by nothing that makes outputs"},
};

}  // namespace

std::string_view harmless_variable(std::string_view name) {
  for (const Harmless& row : kHarmless) {
    std::string_view pattern = row.name;
    bool matches = pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
    if (matches) return row.why;
  }
  return {};
}

}  // namespace kache
