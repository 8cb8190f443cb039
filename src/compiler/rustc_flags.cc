#include "compiler/rustc_flags.h"

#include <algorithm>
#include <iterator>

namespace kache {
namespace {

constexpr FlagRow kFlags[] = {
    {'A', "allow", true, RustcFlag::lint},
    {'W', "warn", true, RustcFlag::lint},
    {'D', "deny", true, RustcFlag::lint},
    {'F', "forbid", true, RustcFlag::lint},
    {0, "force-warn", true, RustcFlag::lint},
    {0, "cap-lints", true, RustcFlag::keyed},
    {0, "cfg", true, RustcFlag::keyed},
    {0, "check-cfg", true, RustcFlag::keyed},
    {0, "edition", true, RustcFlag::keyed},
    {0, "json", true, RustcFlag::keyed},
    {0, "remap-path-scope", true, RustcFlag::keyed},
    {0, "env-set", true, RustcFlag::keyed},
    {'l', "", true, RustcFlag::keyed},
    {'g', "", false, RustcFlag::keyed},
    {'O', "", false, RustcFlag::keyed},
    {'v', "verbose", false, RustcFlag::keyed},
    {0, "crate-name", true, RustcFlag::crate_name},
    {0, "crate-type", true, RustcFlag::crate_type},
    {0, "emit", true, RustcFlag::emit},
    {0, "print", true, RustcFlag::print},
    {0, "out-dir", true, RustcFlag::out_dir},
    {'o', "", true, RustcFlag::output},
    {0, "target", true, RustcFlag::target},
    {'L', "", true, RustcFlag::library_dir},
    {0, "extern", true, RustcFlag::external},
    {0, "sysroot", true, RustcFlag::sysroot},
    {0, "remap-path-prefix", true, RustcFlag::remap},
    {'C', "codegen", true, RustcFlag::codegen},
    {'Z', "", true, RustcFlag::unstable},
    {0, "error-format", true, RustcFlag::error_format},
    {0, "color", true, RustcFlag::color},
    {0, "diagnostic-width", true, RustcFlag::width},
    {0, "test", false, RustcFlag::test},
    {'h', "help", false, RustcFlag::help},
    {'V', "version", false, RustcFlag::version},
    {0, "explain", true, RustcFlag::explain},
    {0, "pretty", true, RustcFlag::pretty},  // of compilers before 1.47
};

constexpr CodegenRow kCodegen[] = {
    {"help", Codegen::help},
    {"passes", Codegen::passes},  // "passes=list" asks for the list
    {"extra-filename", Codegen::extra_filename},
    {"incremental", Codegen::incremental},
    {"instrument-coverage", Codegen::instrument_coverage},
    {"link-arg", Codegen::link_arg},
    {"link-args", Codegen::link_args},
    {"linker", Codegen::path},
    {"profile-generate", Codegen::path},
    {"profile-use", Codegen::path},
    {"rpath", Codegen::rpath},
    {"save-temps", Codegen::save_temps},
    {"split-debuginfo", Codegen::split_debuginfo},
    {"target-cpu", Codegen::target_cpu},
    // The rest of `rustc -C help`: seen, and nothing to do for them.
    {"ar", Codegen::keyed},
    {"code-model", Codegen::keyed},
    {"codegen-units", Codegen::keyed},
    {"collapse-macro-debuginfo", Codegen::keyed},
    {"control-flow-guard", Codegen::keyed},
    {"debug-assertions", Codegen::keyed},
    {"debuginfo", Codegen::keyed},
    {"default-linker-libraries", Codegen::keyed},
    {"dlltool", Codegen::keyed},
    {"dwarf-version", Codegen::keyed},
    {"embed-bitcode", Codegen::keyed},
    {"force-frame-pointers", Codegen::keyed},
    {"force-unwind-tables", Codegen::keyed},
    {"inline-threshold", Codegen::keyed},
    {"jump-tables", Codegen::keyed},
    {"link-dead-code", Codegen::keyed},
    {"link-self-contained", Codegen::keyed},
    {"linker-features", Codegen::keyed},
    {"linker-flavor", Codegen::keyed},
    {"linker-plugin-lto", Codegen::keyed},
    {"llvm-args", Codegen::keyed},
    {"lto", Codegen::keyed},
    {"metadata", Codegen::keyed},
    {"no-prepopulate-passes", Codegen::keyed},
    {"no-redzone", Codegen::keyed},
    {"no-stack-check", Codegen::keyed},
    {"no-vectorize-loops", Codegen::keyed},
    {"no-vectorize-slp", Codegen::keyed},
    {"opt-level", Codegen::keyed},
    {"overflow-checks", Codegen::keyed},
    {"panic", Codegen::keyed},
    {"prefer-dynamic", Codegen::keyed},
    {"relocation-model", Codegen::keyed},
    {"relro-level", Codegen::keyed},
    {"remark", Codegen::keyed},
    {"soft-float", Codegen::keyed},
    {"strip", Codegen::keyed},
    {"symbol-mangling-version", Codegen::keyed},
    {"target-feature", Codegen::keyed},
    {"unsafe-allow-abi-mismatch", Codegen::keyed},
};

constexpr UnstableRow kUnstable[] = {
    {"help", Unstable::help},
    {"tune-cpu", Unstable::tune_cpu},
    {"no-link", Unstable::names_output_dir},  // the .rlink file names the objects
    // Prints instead of compiling.
    {"unpretty", Unstable::refused, Refusal::prints_to_stdout},
    {"ls", Unstable::refused, Refusal::prints_to_stdout},
    // What the outputs are is said in the .rlink file.
    {"link-only", Unstable::refused_unless_off, Refusal::not_a_compile},
    // Where the time went is true of one run only.
    {"self-profile", Unstable::refused, Refusal::time_traces},
    {"llvm-time-trace", Unstable::refused_unless_off, Refusal::time_traces},
    {"time-passes", Unstable::refused_unless_off, Refusal::time_traces},
    {"time-llvm-passes", Unstable::refused_unless_off, Refusal::time_traces},
    {"time-trace", Unstable::refused_unless_off, Refusal::time_traces},
    {"profile-closures", Unstable::refused_unless_off, Refusal::time_traces},  // appends to its file
    {"metrics-dir", Unstable::refused, Refusal::time_traces},
    {"print-codegen-stats-json", Unstable::refused, Refusal::time_traces},
    // Files of their own beside the outputs.
    {"dump-dep-graph", Unstable::refused_unless_off, Refusal::unknown_write},
    {"dump-mir", Unstable::refused, Refusal::unknown_write},
    {"dump-mono-stats", Unstable::refused, Refusal::unknown_write},
    {"nll-facts", Unstable::refused_unless_off, Refusal::unknown_write},
    {"remark-dir", Unstable::refused, Refusal::unknown_write},
    {"split-dwarf-out-dir", Unstable::refused, Refusal::unknown_write},
    {"temps-dir", Unstable::refused, Refusal::unknown_write},
};

constexpr UnstableRow kPlain = {"", Unstable::keyed};

// "-gO": letters until one takes a value, which is the rest of the word or the next argument. All or nothing: with a
// letter that this table does not know, nobody can say what the others mean. Returns the arguments it took; 0: unknown.
size_t split_letters(const std::vector<std::string>& args, size_t i, Words& out) {
  std::string_view arg = args[i];
  size_t before = out.words.size();
  for (size_t at = 1; at < arg.size(); ++at) {
    const FlagRow* row = find_flag(arg[at]);
    if (!row) {
      out.words.resize(before);
      return 0;
    }
    if (!row->takes_value) {
      out.words.push_back({Word::flag, row, {}});
      continue;
    }
    if (at + 1 < arg.size()) {
      out.words.push_back({Word::flag, row, arg.substr(at + 1)});
      return 1;
    }
    if (i + 1 < args.size()) {
      out.words.push_back({Word::flag, row, args[i + 1]});
      return 2;
    }
    out.lacks_value = arg;
  }
  return 1;
}

// "--name", "--name=value", "--name value"
size_t split_name(const std::vector<std::string>& args, size_t i, Words& out) {
  std::string_view arg = args[i];
  size_t equals = arg.find('=');
  const FlagRow* row = find_flag(arg.substr(2, equals == std::string_view::npos ? equals : equals - 2));
  bool has_value = equals != std::string_view::npos;
  if (!row || (has_value && !row->takes_value)) return 0;
  if (has_value || !row->takes_value) {
    out.words.push_back({Word::flag, row, has_value ? arg.substr(equals + 1) : std::string_view()});
    return 1;
  }
  if (i + 1 < args.size()) {
    out.words.push_back({Word::flag, row, args[i + 1]});
    return 2;
  }
  out.lacks_value = arg;
  return 1;
}

}  // namespace

const FlagRow* find_flag(char letter) {
  for (const FlagRow& row : kFlags) {
    if (row.letter == letter && letter) return &row;
  }
  return nullptr;
}

const FlagRow* find_flag(std::string_view name) {
  if (name.size() == 1) return find_flag(name[0]);
  for (const FlagRow& row : kFlags) {
    if (row.name == name && !name.empty()) return &row;
  }
  return nullptr;
}

Codegen find_codegen(std::string_view name) {
  for (const CodegenRow& row : kCodegen) {
    if (row.name == name) return row.option;
  }
  return Codegen::keyed;
}

const UnstableRow& find_unstable(std::string_view name) {
  for (const UnstableRow& row : kUnstable) {
    if (row.name == name) return row;
  }
  return kPlain;
}

std::vector<FlagRow> all_flags() { return {std::begin(kFlags), std::end(kFlags)}; }
std::vector<CodegenRow> all_codegen_options() { return {std::begin(kCodegen), std::end(kCodegen)}; }
std::vector<UnstableRow> all_unstable_options() { return {std::begin(kUnstable), std::end(kUnstable)}; }

std::string canonical_option(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

bool is_off(std::string_view value) { return value == "off" || value == "no" || value == "n" || value == "false"; }

Words split_words(const std::vector<std::string>& args) {
  Words out;
  out.words.reserve(args.size());
  bool only_sources = false;
  for (size_t i = 0; i < args.size();) {
    std::string_view arg = args[i];
    if (only_sources || arg.size() < 2 || arg[0] != '-') {
      out.words.push_back({Word::source, nullptr, arg});
      ++i;
      continue;
    }
    only_sources = arg == "--";
    size_t taken = only_sources ? 0 : arg[1] == '-' ? split_name(args, i, out) : split_letters(args, i, out);
    if (taken == 0) out.words.push_back({Word::unknown, nullptr, arg});
    i += std::max<size_t>(taken, 1);
  }
  return out;
}

}  // namespace kache
