// The table of compilers: what kache recognises on a command line and how it reads it.
//
// A family of compilers is a row, not a class: what behaves differently is decided by Invocation::family.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/file_system.h"
#include "compiler/invocation.h"

namespace kache {

// How `kache <args...>` is to be understood, from argv alone.
struct Recognised {
  enum Kind : unsigned char {
    tool,        // a subcommand or option of kache itself: hand over to kache-tool
    rustc,       // args[0] is a rustc by its name, or clippy-driver, which may have a rustc behind it
    chain,       // args[0] is a workspace wrapper that may do anything, args[1] a rustc: run it, never cache
    driver,      // args[0] is $RUSTC under a name that says nothing about it: run it, never cache
    cc,          // args[0] is a compiler of the C family, by its name or by the look of what follows
    archiver,    // args[0] is an ar or ranlib
    cc_probe,    // `kache -E file…`: the `cc` crate took kache for the compiler and asks what it is
    stranger,    // args[0] is a program that is no compiler by any sign: run it
  } kind = tool;
};

// `args` is argv without kache itself. Looks at names (and whether a bare first word is an executable on PATH, for
// chains); executes nothing.
Recognised recognise(FileSystem& fs, const std::vector<std::string>& args, const Env& env);

// "rustc", "rustc.exe", "rustc-1.95", "rustc_nightly": a name that behaves like rustc. "clippy-driver" does too.
bool is_rustc_name(std::string_view path);
bool is_clippy_driver(std::string_view path);

// A word that kache-tool takes as a command.
bool is_tool_command(std::string_view word);

// What is asked, in the words of the family. Reads response files (and whether `cc` is a link to gcc or clang) through `fs`;
// otherwise pure. `line.argv` begins with the compiler.
ParsedInvocation parse_invocation(FileSystem& fs, const CommandLine& line, Recognised::Kind kind);

ParsedInvocation parse_rustc(FileSystem& fs, const CommandLine& line, Recognised::Kind kind);
ParsedInvocation parse_cc(FileSystem& fs, const CommandLine& line);
// clang-cl; called by parse_cc.
ParsedInvocation parse_cl(FileSystem& fs, const CommandLine& line);
ParsedInvocation parse_ar(FileSystem& fs, const CommandLine& line);

}  // namespace kache
