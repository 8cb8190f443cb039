#include "compiler/cc_flags.h"

#include <algorithm>
#include <iterator>

namespace kache {
namespace {

using enum Arity;
using Flag = CcFlag;

// Sorted by name, byte by byte; cc_flags_test checks it.
constexpr CcFlagRow kFlags[] = {
    {"-###", alone, Flag::question},
    {"--config", separate, Flag::path},
    {"--coverage", alone, Flag::names_output},
    {"--gcc-toolchain", separate, Flag::path},
    {"--help", joined, Flag::question},
    {"--param", separate, Flag::keyed},
    {"--precompile", alone, Flag::precompile},
    {"--print-", joined, Flag::question},
    {"--serialize-diagnostics", separate, Flag::side_output},
    {"--sysroot", separate, Flag::path},
    {"--target", separate, Flag::keyed},
    {"--target-help", alone, Flag::question},
    {"--version", alone, Flag::question},
    {"-A", either, Flag::keyed},
    {"-B", either, Flag::path},
    {"-D", either, Flag::keyed},
    {"-E", alone, Flag::preprocess},
    {"-F", either, Flag::path},
    {"-I", either, Flag::path},
    {"-L", either, Flag::path},
    {"-M", alone, Flag::only_depends},
    {"-MD", alone, Flag::depends},
    {"-MF", either, Flag::depend_file},
    {"-MJ", either, Flag::side_output},
    {"-MM", alone, Flag::only_depends},
    {"-MMD", alone, Flag::depends},
    {"-MQ", either, Flag::depend_quoted},
    {"-MT", either, Flag::depend_target},
    {"-S", alone, Flag::assemble},
    {"-T", either, Flag::path},
    {"-U", either, Flag::keyed},
    {"-Wa,", joined, Flag::assembler_words},
    {"-Wl,", joined, Flag::linker_words},
    {"-Wp,", joined, Flag::preprocessor_words},
    {"-Xarch_", both, Flag::forward},
    {"-Xassembler", separate, Flag::forward},
    {"-Xclang", separate, Flag::forward},
    {"-Xlinker", separate, Flag::forward},
    {"-Xopenmp-target", separate, Flag::forward},
    {"-Xopenmp-target=", both, Flag::forward},
    {"-Xpreprocessor", separate, Flag::forward},
    {"-arch", separate, Flag::arch},
    {"-aux-info", separate, Flag::side_output},
    {"-c", alone, Flag::compile},
    {"-dumpbase", separate, Flag::keyed},
    {"-dumpbase-ext", separate, Flag::keyed},
    {"-dumpdir", separate, Flag::path},
    {"-dumpfullversion", alone, Flag::question},
    {"-dumpmachine", alone, Flag::question},
    {"-dumpspecs", alone, Flag::question},
    {"-dumpversion", alone, Flag::question},
    {"-e", separate, Flag::keyed},
    {"-fcolor-diagnostics", alone, Flag::color},
    {"-fcoverage-compilation-dir=", joined, Flag::directory_map},
    {"-fcoverage-prefix-map=", joined, Flag::prefix_map},
    {"-fdebug-compilation-dir", either, Flag::directory_map},
    {"-fdebug-prefix-map=", joined, Flag::prefix_map},
    {"-fdiagnostics-color", joined, Flag::color},
    {"-ffile-compilation-dir=", joined, Flag::directory_map},
    {"-ffile-prefix-map=", joined, Flag::prefix_map},
    {"-fmacro-prefix-map=", joined, Flag::prefix_map},
    {"-fmem-report", joined, Flag::refused, Refusal::time_traces},
    {"-fmodule-output=", joined, Flag::side_output},
    {"-fno-color-diagnostics", alone, Flag::color},
    {"-fno-diagnostics-color", alone, Flag::color},
    {"-foptimization-record-file=", joined, Flag::side_output},
    {"-fprofile-arcs", alone, Flag::names_output},
    {"-fprofile-generate", joined, Flag::names_output},
    {"-fprofile-prefix-map=", joined, Flag::prefix_map},
    {"-fprofile-use", joined, Flag::names_output},
    {"-framework", separate, Flag::keyed},
    {"-frecord-command-line", alone, Flag::records_words},
    {"-frecord-gcc-switches", alone, Flag::records_words},
    {"-fsyntax-only", alone, Flag::syntax_only},
    {"-ftest-coverage", alone, Flag::names_output},
    {"-ftime-report", joined, Flag::refused, Refusal::time_traces},
    {"-ftime-trace=", joined, Flag::side_output},
    {"-g", joined, Flag::debug},
    {"-g0", alone, Flag::debug_off},
    {"-gcc-toolchain", separate, Flag::path},
    {"-gen-cdb-fragment-path", separate, Flag::refused, Refusal::unknown_write},
    {"-grecord-command-line", alone, Flag::records_words},
    {"-grecord-gcc-switches", alone, Flag::records_words},
    {"-gsplit-dwarf", joined, Flag::split_debug},
    {"-h", separate, Flag::keyed},
    {"-idirafter", either, Flag::path},
    {"-iframework", either, Flag::path},
    {"-iframeworkwithsysroot", either, Flag::path},
    {"-imacros", either, Flag::path},
    {"-imultilib", separate, Flag::keyed},
    {"-include", either, Flag::path},
    {"-include-pch", separate, Flag::path},
    {"-index-store-path", separate, Flag::refused, Refusal::unknown_write},
    {"-install_name", separate, Flag::keyed},
    {"-iprefix", either, Flag::path},
    {"-iquote", either, Flag::path},
    {"-isysroot", either, Flag::path},
    {"-isystem", either, Flag::path},
    {"-isystem-after", either, Flag::path},
    {"-ivfsoverlay", either, Flag::path},
    {"-iwithprefix", either, Flag::path},
    {"-iwithprefixbefore", either, Flag::path},
    {"-iwithsysroot", either, Flag::path},
    {"-l", either, Flag::keyed},
    {"-mllvm", separate, Flag::forward},
    {"-o", either, Flag::output},
    {"-print-", joined, Flag::question},
    {"-rpath", separate, Flag::path},
    {"-serialize-diagnostics", separate, Flag::side_output},
    {"-specs", separate, Flag::path},
    {"-target", separate, Flag::keyed},
    {"-target-help", alone, Flag::question},
    {"-u", either, Flag::keyed},
    {"-v", alone, Flag::question},
    {"-working-directory", joined, Flag::refused, Refusal::unsupported_flag},
    {"-wrapper", separate, Flag::refused, Refusal::unsupported_flag},
    {"-x", either, Flag::language},
    {"-z", either, Flag::keyed},
};

bool takes_rest(Arity arity) { return arity == joined || arity == either || arity == both; }

}  // namespace

const CcFlagRow* find_cc_flag(std::string_view arg) {
  // Whatever `arg` begins with sorts before it, a longer name behind a shorter one.
  auto row = std::upper_bound(std::begin(kFlags), std::end(kFlags), arg,
                              [](std::string_view a, const CcFlagRow& b) { return a < b.name; });
  while (row != std::begin(kFlags)) {
    --row;
    if (row->name.substr(0, 2) != arg.substr(0, 2)) return nullptr;
    if (arg == row->name || (takes_rest(row->arity) && arg.starts_with(row->name))) return &*row;
  }
  return nullptr;
}

CcWords split_cc_words(const std::vector<std::string>& args) {
  CcWords out;
  out.words.reserve(args.size());
  bool only_inputs = false;
  for (size_t i = 0; i < args.size(); i += out.words.back().count) {
    std::string_view arg = args[i];
    CcWord word;
    word.text = arg;
    word.first = i;
    if (only_inputs || arg.empty() || arg[0] != '-' || arg == "-") {
      word.kind = CcWord::input;
    } else if (arg == "--") {
      only_inputs = true;
    } else if (const CcFlagRow* row = find_cc_flag(arg)) {
      word.kind = CcWord::flag;
      word.row = row;
      word.value = arg.substr(row->name.size());
      bool next = row->arity == separate || row->arity == both || (row->arity == either && word.value.empty());
      if (next && i + 1 == args.size()) {
        out.lacks_value = arg;
      } else if (next) {
        if (row->arity != both) word.value = args[i + 1];
        word.count = 2;
      }
    }
    out.words.push_back(word);
  }
  return out;
}

bool asks_for_native_cpu(const std::vector<std::string>& args) {
  return std::any_of(args.begin(), args.end(), [](const std::string& arg) {
    return arg.find("-m") != std::string::npos && arg.find("=native") != std::string::npos;
  });
}

std::vector<CcFlagRow> all_cc_flags() { return {std::begin(kFlags), std::end(kFlags)}; }

}  // namespace kache
