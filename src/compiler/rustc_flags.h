// The flags of rustc, as tables: how each is spelled, whether a value follows, and what it means to a cache.
//
// Source: `rustc --help -v` and `rustc -C help` of 1.95, `rustc -Z help` of the nightly 1.97. What is in no table is
// safe: it goes into the key as it stands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/refusal.h"

namespace kache {

enum class RustcFlag : uint8_t {
  keyed,  // needs nothing but to be in the key
  lint,   // -A and its like: keyed, and "help" asks for the list
  crate_name, crate_type, emit, print, out_dir, output, target, library_dir, external, sysroot, remap, codegen,
  unstable, error_format, color, width, test, help, version, explain, pretty,
};

struct FlagRow {
  char letter;            // 'C', or 0 where there is none
  std::string_view name;  // "codegen", or "" where there is none
  bool takes_value;
  RustcFlag flag;
};

const FlagRow* find_flag(char letter);
// Without dashes. As for rustc a name of one letter is that letter: `--C opt-level=3`.
const FlagRow* find_flag(std::string_view name);

// `-C name[=value]`. rustc takes '_' for '-' in names; so does this table, after canonical_option.
enum class Codegen : uint8_t {
  keyed,
  help, passes, extra_filename, incremental, instrument_coverage, link_arg, link_args, path, rpath, save_temps,
  split_debuginfo, target_cpu,
};
struct CodegenRow {
  std::string_view name;
  Codegen option;
};
Codegen find_codegen(std::string_view name);

// `-Z name[=value]`: only those that need more than to be in the key.
enum class Unstable : uint8_t {
  keyed,
  help, tune_cpu,
  names_output_dir,  // the path of the output directory is in an output
  refused,           // whatever its value
  refused_unless_off,
};
struct UnstableRow {
  std::string_view name;
  Unstable option;
  Refusal refusal = Refusal::none;
};
const UnstableRow& find_unstable(std::string_view name);

// For tests: the whole tables.
std::vector<FlagRow> all_flags();
std::vector<CodegenRow> all_codegen_options();
std::vector<UnstableRow> all_unstable_options();

// "opt_level" → "opt-level"
std::string canonical_option(std::string_view name);
// How rustc reads "no" where it expects yes or no.
bool is_off(std::string_view value);

// One word of the command line, taken apart as getopts does it for rustc: "-C x", "-Cx", "--codegen x", "--codegen=x",
// "-gO", "-gCx" and what follows "--".
struct Word {
  enum Kind : uint8_t { flag, source, unknown } kind = unknown;
  const FlagRow* row = nullptr;  // of a flag
  std::string_view text;         // a flag's value, a source, or the unknown word as it stands
};
struct Words {
  std::vector<Word> words;        // views into the arguments
  std::string_view lacks_value;   // the last argument, where a value should follow
};
Words split_words(const std::vector<std::string>& args);

}  // namespace kache
