// Explain: what made a result another one than those that were stored before it. All from the store: the input sets of a
// result and of its nearest elder, so it can be asked at any time after the build. And, where an input that changed is what
// another unit made, the same question about that unit, until nothing more is known.
//
// Knows entries and traces; unaware of events and of how anything is printed. Not for use from several threads.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "index/store_index.h"
#include "store/entry.h"
#include "store/traces.h"

namespace kache {

struct Change {
  enum Kind : uint8_t { file, new_file, gone_file, presence, listing, link, program, times, variable, location, flag_new, flag_gone, flag_changed } kind = file;
  RootedPath path;            // of files
  std::string name;           // of all others: a variable, a part of the command line
  std::string before, after;  // values that may be shown, "" for none
  bool was_set = true, is_set = true;  // a variable
  Digest digest_before, digest_after;  // of a file
};

enum class Standing : uint8_t {
  inputs_differ,   // from an elder result of the same command line
  command_differs, // no such result, but one of another command line of this unit
  first,           // the store knows nothing older of this unit
  unknown,         // the result is not in the store any more
};

struct Explanation {
  std::string unit;
  std::string profile, target, crate_types;
  Standing standing = Standing::unknown;
  ActionKey action, nearest;  // `nearest` as far as there is one
  std::vector<Change> changes;
};

// A unit that a miss goes back to. `via` begins with the unit that was asked about and ends with this one.
struct RootCause {
  Explanation explanation;
  std::vector<std::string> via;
};

class Explainer {
 public:
  Explainer(FileSystem& fs, const StoreLayout& layout, StoreIndex& index) : fs_(fs), layout_(layout), index_(index) {}

  Explanation explain(const ActionKey& action);
  // The ends of all chains through units whose outputs changed; none where the changes are the unit's own.
  std::vector<RootCause> causes(const Explanation& explanation);
  std::optional<Entry> entry(const ActionKey& action) const;
  std::optional<Traces> traces(const InvocationKey& key) const;

 private:
  void compare_inputs(const Traces& traces, size_t own, Explanation& explanation) const;
  void compare_commands(const Entry& entry, const Traces& traces, Explanation& explanation) const;
  void follow(const Explanation& from, std::vector<std::string>& via, std::set<Digest>& seen, std::vector<RootCause>& found);

  FileSystem& fs_;
  const StoreLayout& layout_;
  StoreIndex& index_;
};

// Their text is a digest, and tells nobody anything.
bool is_digest(const KeyPart& part);

}  // namespace kache
