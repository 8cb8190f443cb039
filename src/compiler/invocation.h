// Invocation: what one command line asks of a compiler, as plain values. Made by parse_invocation, const afterwards.
//
// Knows argv; unaware of keys, the store and what the compiler will really read. Paths are as the user spelled them
// (relative ones are relative to the working directory); nothing here was looked up on disk, except response files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/env.h"
#include "compiler/refusal.h"

namespace kache {

// What the process was started with. argv[0] is the compiler (kache itself is already taken off).
struct CommandLine {
  std::vector<std::string> argv;
  std::string cwd;  // absolute
  Env env;
  std::string program = {};  // where argv[0] was found along PATH, absolute; "" where nobody has looked
};

// rustc; cc: the C family and its linker driver; archive: ar and ranlib.
enum class Family : uint8_t { rustc, cc, archive };

// compile: sources to files. link: objects (and sources) to a program or library. archive: a library made or changed in
// place. probe: prints something that is a function of toolchain, argv and recorded inputs.
enum class Purpose : uint8_t { compile, link, archive, probe };

// One argument (or a flag with its value) as it enters the invocation key. Everything of argv that is not listed as
// free of influence is here, in argv order. `text` is taken literally; `path`, where not empty, follows it and is
// mapped to its root before it is hashed. `-L native=/w/out` is {"-L native=", "/w/out"}.
struct KeyArg {
  std::string text;
  std::string path;
  bool operator==(const KeyArg&) const = default;
};

// `--emit kind[=path]`
struct Emit {
  std::string kind;  // "link", "metadata", "dep-info", "asm", "llvm-ir", "llvm-bc", "obj", "mir", ...
  std::string path;  // "" where none was given; "-" is standard output
};

// An output whose path the command line says, or from which its path follows without looking at the disk. Entries refer to
// these by number, so the list must be the same for all command lines with one invocation key, but for the paths.
struct NamedOutput {
  std::string role;  // "object", "depfile", …; of rustc as in --emit; "" for rustc's -o, where the extension tells
  std::string path;  // as spelled
  bool may_lack = false;  // it is no fault when the compiler made none
  bool operator==(const NamedOutput&) const = default;
};

struct SearchDir {
  std::string kind;  // "dependency", "crate", "native", "framework", "all"
  std::string path;
};

struct Extern {
  std::string options;  // "priv,noprelude", may be empty
  std::string name;
  std::string path;  // "" for `--extern name`
};

// Which C compiler it is, by its name behind all symlinks. `other` speaks their language and is altered in nothing.
enum class CcKind : uint8_t { other, gcc, clang, clang_cl };

// What only the C family has.
struct CcDetails {
  CcKind kind = CcKind::other;
  std::string language;             // "c", "c++", "assembler", …: of the source
  std::vector<std::string> depfile_targets;  // the words before the colon, escaped as the compiler will write them
  bool debug_info = false;          // the outputs name the working directory
  bool names_output = false;        // the outputs name themselves: split debug information, coverage
  bool is_precompiled_header = false;
  bool is_configure_probe = false;  // a build system tries the compiler out: it is run exactly as asked
  bool rewrites_paths = false;      // -f…-prefix-map or -f…-compilation-dir of the user's own, or all flags are written down
  bool inputs_are_files = true;     // a link: nothing among its inputs that is no regular file
};

struct Invocation {
  Family family = Family::rustc;
  Purpose purpose = Purpose::compile;

  // The compiler to run, as spelled; a workspace wrapper (clippy-driver) is the program and the rustc it was given
  // is `inner`. `args` follow (response files expanded); a real run is {program, inner if any, args...}.
  std::string program;
  std::string inner;
  std::vector<std::string> args;
  // True when `args` came out of response files: the run must hand them over in one again.
  bool expanded_response_file = false;
  // Response files that `args` still names, absolute: their words are in the key, so they are no inputs.
  std::vector<std::string> argument_files;

  std::vector<KeyArg> key_args;

  // What is produced.
  std::string crate_name;  // how events call the unit. rustc: --crate-name, else from the source file name; others: the
                           // file name of the source, or of what is linked
  std::string source;      // "-" is standard input, which a probe may read too; "" where a probe has none
  std::vector<NamedOutput> named_outputs;  // of the C family the first is the one that the others are named after
  std::vector<std::string> updates;        // files that are read and then written in place: an archive
  // Several sources with an output each: one run for each of them. `split_args` are the arguments with response files taken
  // in, `source_arguments` the places of the sources among them. Empty for one source.
  std::vector<std::string> split_args;
  std::vector<size_t> source_arguments;
  std::vector<std::string> crate_types;  // comma lists split; empty where none was given (rustc: bin)
  std::vector<Emit> emits;               // one of each kind; never empty for a compile: rustc's default is {link}
  std::string out_dir;                   // --out-dir, "" where none
  std::string output_file;               // -o, "" where none
  std::string extra_filename;            // -C extra-filename
  bool is_test = false;                  // --test

  // What changes how the result is looked up, compiled or restored.
  std::vector<Extern> externs;
  std::vector<SearchDir> search_dirs;
  std::string target;   // --target as spelled, "" for the host
  std::string sysroot;  // --sysroot as spelled, "" for the default
  std::optional<std::string> incremental_dir;    // -C incremental (the last one)
  std::optional<std::string> diagnostic_width;   // not keyed; compared only where diagnostics were stored
  bool native_cpu = false;      // target-cpu=native or tune-cpu=native
  bool coverage = false;        // -C instrument-coverage, really on
  bool wants_color = false;     // messages go to a terminal and nothing was said of colours: the compiler is told
  bool json_errors = false;     // --error-format=json
  bool color_given = false;     // --color or --error-format given
  bool rpath = false;           // -C rpath: the output directory shapes the output
  bool temps_kept = false;      // -C save-temps

  CcDetails cc;

  // The file names of all outputs begin with one of these, in the output directory: "foo-1a2b", "libfoo-1a2b". Unless
  // the source names its crate by an attribute and the command line does not: then they are not known from here.
  std::vector<std::string> output_stems() const;
  // Where files without an explicit path go: the directory of -o, for which rustc ignores --out-dir; else out_dir, else
  // "." (the working directory).
  std::string output_dir() const;
  // bin, --test, or a linked library that runs or is loaded (cdylib, dylib, proc-macro), and "link" is asked for: a
  // linker runs.
  bool links() const;
  bool makes_user_executable() const;  // bin or --test: what `cache_executables` is about
  // What listings call it: rustc's crate types, "test", a C language, "link", "archive".
  std::string type_label() const;
};

// Either an Invocation, or why there is none; a refused command line is handed to the real compiler unchanged.
struct ParsedInvocation {
  Invocation invocation;
  Refused refused;  // none: the invocation is good
};

}  // namespace kache
