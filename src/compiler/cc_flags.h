// The flags of gcc, clang and their linker drivers, as a table: how each is spelled, whether a value follows, and what it means
// to a cache.
//
// Only what a cache must understand is here: what takes a value of its own (or a value would be taken for a source), what
// names a file, what makes or moves an output. Everything else goes into the key as it stands, and the recorder sees what it
// reads and writes. Source: the manuals of GCC 12 and clang 14, `gcc --help=common`, and trying.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/refusal.h"

namespace kache {

enum class CcFlag : uint8_t {
  keyed,         // needs nothing but to be in the key, with its value
  path,          // its value is a path
  compile, assemble, preprocess, syntax_only, precompile,  // how far to go
  only_depends,  // -M, -MM: dependencies instead of a compile
  depends, depend_file, depend_target, depend_quoted,
  output,
  side_output,   // its value is a file that is written beside the object
  language,
  prefix_map,    // OLD=NEW
  directory_map, // the user says what to call the working directory
  forward,       // its value is a word for a tool behind the driver
  preprocessor_words, assembler_words, linker_words,  // the same, several words with commas between
  debug, debug_off, split_debug,
  records_words, // of clang: the command line gets into the object
  names_output,  // the name of the object gets into an output, or says where something is looked for
  color,
  arch,
  question,      // the driver answers and compiles nothing
  refused,
};

// How a value follows: alone: none. joined: in the same word. separate: in the next. either: in the same word, or in the next
// where the word ends. both: the rest of the word is one value, the next word another.
enum class Arity : uint8_t { alone, joined, separate, either, both };

struct CcFlagRow {
  std::string_view name;
  Arity arity;
  CcFlag flag;
  Refusal refusal = Refusal::none;
};

// The row with the longest name that `arg` is or begins with; null where there is none.
const CcFlagRow* find_cc_flag(std::string_view arg);

struct CcWord {
  enum Kind : uint8_t { flag, unknown, input } kind = unknown;
  const CcFlagRow* row = nullptr;  // of a flag
  std::string_view text;           // the first word as it stands
  std::string_view value;          // of a flag: what follows its name
  size_t first = 0, count = 1;     // the arguments that it is made of
};

struct CcWords {
  std::vector<CcWord> words;     // views into the arguments
  std::string_view lacks_value;  // the last argument, where a value should follow
};
CcWords split_cc_words(const std::vector<std::string>& args);

// -march=native, -mcpu=native+fp16, /clang:-mtune=native: what is made depends on the machine.
bool asks_for_native_cpu(const std::vector<std::string>& args);

// For tests: the whole table.
std::vector<CcFlagRow> all_cc_flags();

}  // namespace kache
