// Declared mode of the C family: for compilers that do not load the recorder, what the preprocessor makes of a source stands for
// all that went into it.
//
// Weaker than a record, and dearer: the preprocessor runs on every call, hit or miss. What the assembler reads (.incbin), what
// a flag names without the preprocessor looking at it, and what a header would have shadowed is not seen, so flags that are
// not known to be harmless are refused, and so is everything but a compile to an object. Results of this mode never answer
// a compile that can be recorded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "compiler/invocation.h"
#include "config/config.h"
#include "record/collect.h"

namespace kache {

// Why this unit can not be cached without a record; none: it can.
Refused check_cc_declared(FileSystem& fs, const CommandLine& line, const Invocation& invocation, const Config& config);

// The command line that preprocesses to standard output, with line markers and without dependencies.
std::vector<std::string> preprocess_command(FileSystem& fs, const CommandLine& line, const Invocation& invocation);

// The driver is asked what it would start for this command line; it starts nothing, and the answer is on standard error.
std::vector<std::string> programs_question(FileSystem& fs, const CommandLine& line, const Invocation& invocation);
// The programs and files of specs in the answer, as they are named there: "/usr/lib/…/cc1", "as". Empty where it names no program.
std::vector<std::string> named_programs(std::string_view answer);

// What the text says that no key can hold; none: it is good.
Refused check_preprocessed(std::string_view text);

// After the compile: the files that the line markers name, and the outputs. `started_ns` is the file clock before the
// preprocessor ran.
Observed declare_cc_inputs(FileSystem& fs, const CommandLine& line, const Invocation& invocation, std::string_view preprocessed,
                           int64_t started_ns);

}  // namespace kache
