// Which compilers there are, and how what they read becomes known.
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "base/path.h"
#include "cli/doctor.h"
#include "compiler/cc_response.h"
#include "compiler/real_compiler.h"
#include "record/recorder_check.h"
#include "store/toolchain.h"
#include "wrapper/compile.h"
#include "wrapper/process.h"

namespace kache {
namespace {

constexpr const char* kCcNames[] = {"cc", "c++", "gcc", "g++", "clang", "clang++"};
// Caches and distributors that may bear a compiler's name, and the word before a compiler.
constexpr std::string_view kOtherWrappers[] = {"ccache", "sccache", "distcc", "icecc"};

std::string real_path(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  std::string result = real ? real : path;
  ::free(real);
  return result;
}

bool is_other_wrapper(const std::string& path) {
  std::string_view name = base_name(path);
  return std::find(std::begin(kOtherWrappers), std::end(kOtherWrappers), name) != std::end(kOtherWrappers);
}

// cc and gcc are mostly one program; c++ and g++ another.
void add(std::vector<FoundCompiler>& found, const std::string& name, const std::string& path) {
  if (path.empty() || ::access(path.c_str(), X_OK) != 0) return;
  for (FoundCompiler& known : found) {
    if (real_path(known.path) != real_path(path)) continue;
    if (std::find(known.names.begin(), known.names.end(), name) == known.names.end()) known.names.push_back(name);
    return;
  }
  found.push_back({{name}, path, {}, {}, {}});
}

// Why no recorder gets into it, as far as the file tells.
std::string why_not_recorded(FileSystem& fs, const std::string& path) {
  constexpr const char* kUnknown = "the self-test did not see all that it does";
  Result<File> file = open_file(fs, real_path(path));
  char head[4096] = {};
  Result<size_t> got = file.ok() ? fs.read_at(file->handle(), 0, head, sizeof head) : Result<size_t>(file.error());
  if (!got.ok()) return kUnknown;
  if (::memcmp(head, "#!", 2) == 0) return "it is a script, and something that it starts can not be recorded";
  Elf64_Ehdr elf;
  ::memcpy(&elf, head, sizeof elf);
  if (::memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 || elf.e_ident[EI_CLASS] != ELFCLASS64) return kUnknown;
  for (size_t i = 0; i < elf.e_phnum; ++i) {
    Elf64_Phdr part;
    if (elf.e_phoff > sizeof head || elf.e_phoff + (i + 1) * sizeof part > sizeof head) return kUnknown;
    ::memcpy(&part, head + elf.e_phoff + i * sizeof part, sizeof part);
    if (part.p_type != PT_INTERP) continue;
    bool is_near = part.p_offset < sizeof head && part.p_filesz < sizeof head - part.p_offset;
    std::string loader(is_near ? head + part.p_offset : "");
    return loader.find("musl") == std::string::npos ? kUnknown : "it uses another libc (" + loader + ")";
  }
  return "it is linked statically, and no recorder can enter it";
}

// The compiler that the value of CC means: behind `kache`, or the first word.
std::string compiler_word(const CommandContext& context, const char* variable) {
  std::vector<std::string> words = split_quoted(context.env.get_or_empty(variable), Quoting::gnu);
  while (words.size() > 1 && (base_name(words.front()) == "kache" || is_other_wrapper(words.front()))) words.erase(words.begin());
  return words.empty() ? "" : words.front();
}

}  // namespace

// The one on PATH, $RUSTC, and all that rustup has.
std::vector<FoundCompiler> find_rust_compilers(const CommandContext& context) {
  std::vector<FoundCompiler> found;
  std::string rustup(context.env.get_or_empty("RUSTUP_HOME"));
  if (rustup.empty()) rustup = join_path(context.env.get_or_empty("HOME"), ".rustup");
  Result<std::vector<DirEntry>> toolchains = context.fs.list(rustup + "/toolchains");
  if (toolchains.ok()) {
    std::sort(toolchains->begin(), toolchains->end(), [](const DirEntry& a, const DirEntry& b) { return a.name < b.name; });
    for (const DirEntry& entry : *toolchains) add(found, entry.name, rustup + "/toolchains/" + entry.name + "/bin/rustc");
  }
  bool has_rustup = !found.empty();
  for (const char* program : {"rustc", context.env.get("RUSTC")}) {
    std::string path = program ? find_executable(context.fs, program, context.env, context.cwd) : "";
    // What rustup puts on PATH is one of the above.
    if (!has_rustup || base_name(real_path(path)) != "rustup") add(found, "rustc", path);
  }
  return found;
}

std::vector<FoundCompiler> find_cc_compilers(const CommandContext& context) {
  std::vector<FoundCompiler> found;
  for (const char* name : kCcNames) {
    add(found, name, find_behind_shims(context.fs, name, context.env, context.cwd, context.kache));
  }
  for (const char* variable : {"CC", "CXX"}) {
    std::string word = compiler_word(context, variable);
    if (word.empty()) continue;
    std::string path = find_executable(context.fs, word, context.env, context.cwd);
    if (is_this_kache(context, path)) {
      path = find_behind_shims(context.fs, base_name(word), context.env, context.cwd, context.kache);
    }
    add(found, variable, path);
  }
  return found;
}

void examine(const CommandContext& context, FoundCompiler& compiler, bool is_rust) {
  Env env = context.env;
  env.set(kActiveVariable, "1");
  Result<ProcessResult> version = system_processes().run_quietly({compiler.path, "--version"}, env);
  if (version.ok() && version->succeeded()) compiler.version = version->standard_output.substr(0, version->standard_output.find('\n'));
  SelfTest::Language language = is_rust ? SelfTest::rust : SelfTest::c;
  Result<bool> works = recorder_works({language, {compiler.path}, recorder_path(context), "/tmp", env});
  if (!works.ok()) {
    compiler.mode = "unknown";
    compiler.why = works.error().message;
  } else {
    compiler.mode = *works ? "recorded" : "declared";
    if (!*works) compiler.why = why_not_recorded(context.fs, compiler.path);
  }
}

void list_compilers(const std::vector<FoundCompiler>& compilers, bool is_rust, Checklist& list) {
  const char* label = is_rust ? "Rust compiler" : "C compiler";
  // What is and is not cached of a compiler that is taken by its word.
  const char* declared = is_rust ? "libraries are cached by what it says itself, programs are not"
                                 : "compiles to an object are cached by their preprocessed text, all else is passed on";
  if (compilers.empty()) list.note(label, is_rust ? "no rustc found" : "no cc, gcc or clang found");
  for (const FoundCompiler& compiler : compilers) {
    std::string names;
    for (const std::string& name : compiler.names) names += (names.empty() ? "" : ", ") + name;
    std::string text = names + ": " + (compiler.version.empty() ? "" : compiler.version + ", ") + compiler.path + ": ";
    if (compiler.mode == "recorded") list.row(true, label, text + "recorded");
    else if (compiler.mode == "declared") {
      list.row(false, label, text + "declared mode, because " + compiler.why + "; " + declared,
               "use one that is linked dynamically with the system's libc");
    } else {
      list.row(false, label, text + compiler.why, "run it by hand to see why");
    }
    if (is_other_wrapper(real_path(compiler.path))) {
      list.note(label, compiler.path + " is " + std::string(base_name(real_path(compiler.path))) + ", so two caches work one behind the other",
                "put the real compiler's directory before it on PATH");
    }
  }
}

}  // namespace kache
