// Outputs: of all files that a compile wrote, which are its results, and are they all there.
#pragma once

#include <string>
#include <vector>

#include "compiler/invocation.h"
#include "compiler/refusal.h"
#include "record/collect.h"
#include "store/entry.h"

namespace kache {

// An output where it lies now.
struct FoundOutput {
  Output output;  // role, place, name and mode are filled
  std::string path;
  FileStat stat;
};

struct FoundOutputs {
  std::vector<FoundOutput> outputs;
  Refused refused;
};

FoundOutputs find_rustc_outputs(FileSystem& fs, const Invocation& invocation, const std::string& cwd,
                                const std::vector<WrittenFile>& written);
// Of gcc, clang and their linkers, and of archivers.
FoundOutputs find_cc_outputs(FileSystem& fs, const Invocation& invocation, const std::string& cwd,
                             const std::vector<WrittenFile>& written);

inline FoundOutputs find_outputs(FileSystem& fs, const Invocation& invocation, const std::string& cwd,
                                 const std::vector<WrittenFile>& written) {
  return (invocation.family == Family::rustc ? find_rustc_outputs : find_cc_outputs)(fs, invocation, cwd, written);
}

}  // namespace kache
