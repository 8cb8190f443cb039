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
};

enum class Family : uint8_t { rustc };

// compile: produces files. probe: prints something that is a function of toolchain, argv and recorded inputs.
enum class Purpose : uint8_t { compile, probe };

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

struct SearchDir {
  std::string kind;  // "dependency", "crate", "native", "framework", "all"
  std::string path;
};

struct Extern {
  std::string options;  // "priv,noprelude", may be empty
  std::string name;
  std::string path;  // "" for `--extern name`
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

  std::vector<KeyArg> key_args;

  // What is produced.
  std::string crate_name;  // as rustc would name it: --crate-name, else from the source file name
  std::string source;      // "-" is standard input, which a probe may read too; "" where a probe has none
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
  bool json_errors = false;     // --error-format=json
  bool color_given = false;     // --color or --error-format given
  bool rpath = false;           // -C rpath: the output directory shapes the output
  bool temps_kept = false;      // -C save-temps

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
};

// Either an Invocation, or why there is none; a refused command line is handed to the real compiler unchanged.
struct ParsedInvocation {
  Invocation invocation;
  Refused refused;  // none: the invocation is good
};

}  // namespace kache
