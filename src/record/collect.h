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

struct Observed {
  std::vector<ReadFile> files;         // without duplicates, in the order of the first read
  std::vector<Input> questions;        // all other inputs, without digests, `path` literal (RootKind::none)
  std::vector<std::string> variables;  // names that were asked for, sorted
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
};

Observed collect_inputs(FileSystem& fs, const std::vector<RecordEvent>& events, const CollectContext& context);

// Why the value of a variable does not matter; "" when it does.
std::string_view harmless_variable(std::string_view name);

}  // namespace kache
