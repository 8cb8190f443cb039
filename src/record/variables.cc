#include <algorithm>
#include <iterator>

#include "base/path.h"
#include "record/collect.h"

namespace kache {
namespace {

// Whose question for a variable says nothing, because it asks in every compile and makes nothing of the answer that
// shapes outputs, diagnostics or exit status of a successful compile. From anybody else the question counts: a proc
// macro's `std::env::var("TERM")` is one.
enum class Asker : uint8_t {
  anybody,   // libc, the compiler and its tools
  tools,     // the compiler's tools; the compiler itself where it writes messages for people
  nobody,    // not asked for by name; only left out where the environment counts as a whole
};

struct Harmless {
  std::string_view name;  // a trailing '*' stands for any rest
  Asker asker;
  std::string_view why;
};

constexpr Harmless kHarmless[] = {
    {"PATH", Asker::anybody, "each program that was looked up is an input of its own"},
    {"LD_PRELOAD", Asker::anybody, "carries the recorder; what it loads is recorded as mapped"},
    {"LD_LIBRARY_PATH", Asker::anybody, "what it makes the linkers find is recorded"},
    {"TMPDIR", Asker::anybody, "where temporary files go"},
    {"TMP", Asker::tools, "where temporary files go"},
    {"TEMP", Asker::tools, "where temporary files go"},
    {"MAKEFLAGS", Asker::anybody, "jobserver"},
    {"MFLAGS", Asker::anybody, "jobserver"},
    {"CARGO_MAKEFLAGS", Asker::anybody, "jobserver"},
    {"RUSTC_LOG*", Asker::anybody, "logging of the compiler, not its diagnostics"},
    {"RUST_BACKTRACE", Asker::anybody, "printed only when the compiler crashes"},
    {"RUST_LIB_BACKTRACE", Asker::anybody, "printed only when the compiler crashes"},
    {"RUST_MIN_STACK", Asker::anybody, "stack of the compiler's threads"},
    {"RUSTC_ICE", Asker::anybody, "where a crash is reported"},
    {"RUSTUP_FORCE_ARG0", Asker::anybody, "set by rustup for itself"},
    {"RUST_RECURSION_COUNT", Asker::anybody, "set by rustup for itself"},
    {"MALLOC_*", Asker::anybody, "allocator"},
    {"_RJEM_MALLOC_CONF", Asker::anybody, "allocator"},
    {"MIMALLOC_*", Asker::anybody, "allocator"},
    {"mimalloc_*", Asker::anybody, "allocator"},
    {"PWD", Asker::tools, "the working directory is in the key"},
    {"TERM", Asker::tools, "colours are decided by --color and --error-format, which are in the key"},
    {"COLORTERM", Asker::tools, "as TERM"},
    {"NO_COLOR", Asker::tools, "as TERM"},
    {"CLICOLOR", Asker::tools, "as TERM"},
    {"CLICOLOR_FORCE", Asker::tools, "as TERM"},
    {"COLUMNS", Asker::tools, "width of the terminal"},
    {"DEBUGINFOD_URLS", Asker::tools, "asked by nothing that makes outputs"},
    {"KACHE_*", Asker::nobody, "ours; what matters of it is in the key"},
    {"OLDPWD", Asker::nobody, "a shell's memory"},
    {"SHLVL", Asker::nobody, "a shell's memory"},
    {"_", Asker::nobody, "a shell's memory"},
    {"MAKELEVEL", Asker::nobody, "jobserver"},
    {"RUST_LOG*", Asker::nobody, "logging"},
    {"GLIBC_TUNABLES", Asker::nobody, "libc"},
    {"RAYON_NUM_THREADS", Asker::nobody, "threads of the compiler"},
    {"RUSTC_THREADS*", Asker::nobody, "threads of the compiler"},
    {"LD_BIND_NOW", Asker::nobody, "dynamic linker"},
    {"LD_DEBUG*", Asker::nobody, "dynamic linker"},
    {"XDG_RUNTIME_DIR", Asker::nobody, "a place"},
};

const Harmless* find(std::string_view name) {
  for (const Harmless& row : kHarmless) {
    std::string_view pattern = row.name;
    bool matches = pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
    if (matches) return &row;
  }
  return nullptr;
}

// Compilers and linkers of C, which a link of rustc starts: "ld" is also ld.lld, "gcc" x86_64-linux-gnu-gcc-12.
constexpr std::string_view kTools[] = {"cc",  "c++",  "gcc",  "g++",      "clang",       "clang++", "collect2",
                                       "ld",  "lld",  "mold", "rust-lld", "lto-wrapper", "lto1",    "cc1",
                                       "cc1plus", "as", "gcc-ld", "wasm-ld", "dwp", "rust-objcopy", "strip"};

}  // namespace

bool is_toolchain_program(std::string_view path) {
  std::string_view name = base_name(path);
  auto is_tool = [&](std::string_view part) {
    return std::find(std::begin(kTools), std::end(kTools), part) != std::end(kTools);
  };
  // Without a version or a flavour behind, and then without a target in front.
  std::string_view bare = name.substr(0, name.find('.'));
  if (is_tool(bare)) return true;
  while (!bare.empty() && bare.back() >= '0' && bare.back() <= '9') bare.remove_suffix(1);
  if (bare.ends_with('-')) bare.remove_suffix(1);
  if (is_tool(bare)) return true;
  size_t dash = bare.rfind('-');
  return dash != std::string_view::npos && is_tool(bare.substr(dash + 1));
}

bool is_harmless_question(std::string_view name, bool by_tool) {
  const Harmless* row = find(name);
  return row && (row->asker == Asker::anybody || (row->asker == Asker::tools && by_tool));
}

bool is_harmless_in_whole(std::string_view name) { return find(name) != nullptr; }

bool is_locale_variable(std::string_view name) {
  return name == "LANG" || name == "LANGUAGE" || name == "LOCPATH" || name.starts_with("LC_");
}

}  // namespace kache
