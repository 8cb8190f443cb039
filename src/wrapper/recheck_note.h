// Recheck: of the hits on what a remote gave, a sample is compiled again when nobody waits (cache.remote.verify). Here is what
// the wrapper has to do with it: it leaves a note of how the unit was to be compiled. remote/recheck.h does the rest.
//
// The sample goes by the key and the store, so that a unit is in it or not, build after build, and each machine looks at
// others than its neighbour. A note holds no secrets: of the environment it has what the compile is known to depend on.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "compiler/compilers.h"
#include "config/config.h"
#include "key/input.h"
#include "store/layout.h"

namespace kache {

// v1/recheck/<action key>, frame KRECHK01.
struct RecheckNote {
  ActionKey key;
  int64_t created_ns = 0;         // wall clock
  std::string unit, root;         // as in events
  Recognised::Kind kind = Recognised::rustc;  // or cc
  bool wants_color = false;       // messages went to a terminal
  bool declared = false;          // inputs by the compiler's own word
  std::string cwd, program;       // as in CommandLine
  std::vector<std::string> argv;
  std::vector<std::string> env;   // NAME=value
};
std::string encode_recheck(const RecheckNote& note);
Result<RecheckNote> decode_recheck(std::string_view bytes);

inline constexpr uint64_t kMaxRecheckNote = 256 << 10;
inline constexpr size_t kMostRecheckNotes = 256;

bool is_sampled(const StoreLayout& layout, const ActionKey& key, uint64_t percent);

// What of `env` a compile with these inputs needs, without what may be secret.
std::vector<std::string> environment_for_recheck(const Env& env, const InputSet& set, const Config& config);

// Unless there is one, or its verdict, or too many of them. What can not be written is not checked, and nobody is told.
void leave_recheck_note(FileSystem& fs, const StoreLayout& layout, const RecheckNote& note);
bool is_recheck_wanted(FileSystem& fs, const StoreLayout& layout, const ActionKey& key);

// The notes that wait, oldest first. Files that are none are removed; `on_bad` is told why.
std::vector<RecheckNote> read_recheck_notes(FileSystem& fs, const StoreLayout& layout,
                                            const std::function<void(const std::string& name, const std::string& why)>& on_bad);

}  // namespace kache
