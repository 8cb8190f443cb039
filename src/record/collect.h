// Collect: what the record of a compile means. Turns events into inputs, variables, written files, and doubts.
//
// Pure but for small questions to the file system (is this a directory, where does this name resolve). Knows what a
// unit of rustc reads and writes; unaware of digests and the store.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/file_system.h"
#include "compiler/invocation.h"
#include "compiler/refusal.h"
#include "key/input.h"
#include "key/roots.h"
#include "record/recording.h"

namespace kache {

// A file that was opened for reading: its identity then, and the file clock when the call began.
struct ReadFile {
  std::string path;
  FileStat identity;
  int64_t clock_ns = 0;
};

struct WrittenFile {
  std::string path;  // symlinks above it are resolved
  bool is_temporary = false;  // made as a temporary file, or below the temporary directory and no other root
};

// Any other input: what was asked, and what is known of the answer that the compile got. It is asked again afterwards,
// and the two must agree.
struct Question {
  Input input;        // without a digest, `path` literal (RootKind::none)
  FileStat identity;  // of the thing, or the directory, when it was looked at; zero where nothing was there
  int64_t clock_ns = 0;
  std::string text;   // of a link; where a path resolved to
};

struct Observed {
  std::vector<ReadFile> files;         // without duplicates, in the order of the first read
  std::vector<Question> questions;     // without duplicates
  std::vector<std::string> variables;  // names that were asked for, sorted
  // Asked for as well, sorted, and mostly no inputs: what every compile asks for, unless the sources name it or its value
  // is found in the outputs; and what chooses the language of the tools' messages, unless there are some.
  std::vector<std::string> harmless, locale;
  std::vector<WrittenFile> written;    // what the unit wrote and left behind, by path
  std::vector<std::string> programs;   // executables that ran
  Refused refused;                     // why the record does not allow storing; none: it does
};

struct CollectContext {
  const CommandLine& line;
  const Invocation& invocation;
  const Roots& roots;
  // Files that the toolchain identity covers: no inputs of their own. Absolute real paths.
  const std::unordered_set<std::string>& toolchain_files;
  std::string recorder;  // path of libkache-record.so
  std::string program;   // what was started, absolute
};

Observed collect_inputs(FileSystem& fs, const std::vector<RecordEvent>& events, const CollectContext& context);

// May the question for a variable be passed over? `by_tool`: a compiler or linker of C asks, or rustc for people.
bool is_harmless_question(std::string_view name, bool by_tool);
// Is it left out where the environment counts as a whole?
bool is_harmless_in_whole(std::string_view name);
bool is_locale_variable(std::string_view name);
// Compilers and linkers of C, and their helpers, by their file names.
bool is_toolchain_program(std::string_view path);

}  // namespace kache
