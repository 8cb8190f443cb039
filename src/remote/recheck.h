// Recheck: compiles again what a remote gave, without touching what the user has, and compares.
//
// The notes are in v1/recheck (wrapper/recheck_note.h). Each is looked at as the wrapper would: the compiler, the arguments and
// every recorded input have to be what they were, or it would be another compile and the note is dropped. Then the compiler
// makes the outputs in a directory of ours. Only what differs from the result, and is the same in several compiles in several
// places, says something about the result; a compiler that writes something else each time says nothing.
//
// What differs is taken out of the store, and kept from coming back (verdict.h).
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "remote/verdict.h"
#include "store/layout.h"
#include "wrapper/process.h"
#include "wrapper/recheck_note.h"

namespace kache {

class Rechecker {
 public:
  // `tool`: kache-tool, which reads configuration files. One at a time, of all processes: whoever has layout.recheck_lock().
  // It changes the working directory and PATH of the process.
  Rechecker(FileSystem& fs, Clock& clock, ProcessRunner& processes, const StoreLayout& layout, std::string tool)
      : fs_(fs), clock_(clock), processes_(processes), layout_(layout), tool_(std::move(tool)) {}

  // Compiles, compares, and does what follows from it: the note is gone afterwards (unless `waits`), an event tells.
  VerdictNote check(const RecheckNote& note);

 private:
  void conclude(const RecheckNote& note, const VerdictNote& verdict);

  FileSystem& fs_;
  Clock& clock_;
  ProcessRunner& processes_;
  const StoreLayout& layout_;
  std::string tool_;
};

}  // namespace kache
