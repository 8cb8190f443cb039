// Verdicts: what came of compiling again what a remote gave (recheck.h), as far as it is to be remembered.
//
// v1/recheck/judged/<action key>, frame KVERDT01. What differs is not believed again while its verdict lies there, whichever
// remote has it; what could not be checked is not tried again. The collector removes verdicts after 90 days.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/file_system.h"
#include "store/layout.h"

namespace kache {

// The numbers are on disk.
enum class Verdict : uint8_t {
  same = 0,      // the compiler made the same
  differs = 1,   // it made something else, twice the same
  unsteady = 2,  // it makes something else each time: nothing can be said of the result
  failed = 3,    // it did not compile here
  skipped = 4,   // of a kind that can not be compiled elsewhere than in its place
  dropped = 5,   // it would be another compile by now; nothing is remembered
  waits = 6,     // interrupted; the note stays
};
std::string_view verdict_name(Verdict verdict);
bool verdict_of_name(std::string_view name, Verdict& verdict);

struct VerdictNote {
  ActionKey key;
  Verdict verdict = Verdict::same;
  int64_t at_ns = 0;       // wall clock
  std::string unit, root;  // as in events
  std::string why;
  std::vector<std::string> what;  // names of outputs, "stdout", "stderr"
  uint64_t compile_ms = 0;
};
std::string encode_verdict(const VerdictNote& note);
Result<VerdictNote> decode_verdict(std::string_view bytes);

Status keep_verdict(FileSystem& fs, const StoreLayout& layout, const VerdictNote& note);
// All that lie there, oldest first; what can not be read is passed over.
std::vector<VerdictNote> read_verdicts(FileSystem& fs, const StoreLayout& layout);
// False where nobody has found that this result differs.
bool is_disbelieved(FileSystem& fs, const StoreLayout& layout, const ActionKey& key);

// One line of the event log; index/verified.h reads it.
std::string format_verdict(const VerdictNote& note);

}  // namespace kache
