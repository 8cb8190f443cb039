#include "wrapper/lookup.h"

#include <algorithm>

#include "wrapper/difference.h"

namespace kache {

namespace {

// What people are told is the difference to the nearest candidate, of the newest ones. An edit loop is seen by the newest.
void explain(Verifier& verifier, const Traces& traces, Lookup& lookup) {
  std::vector<Difference> differences = verifier.differences(traces.set_of(traces.candidates.front()), 8);
  lookup.only_files_differ = std::all_of(differences.begin(), differences.end(), [](const Difference& difference) {
    return difference.kind == Difference::file || difference.kind == Difference::presence;
  });
  size_t newest = std::min(traces.candidates.size(), kManyCandidates);
  for (size_t i = 1; i < newest && differences.size() > 1; ++i) {
    std::vector<Difference> fewer = verifier.differences(traces.set_of(traces.candidates[i]), differences.size());
    // None: this one holds, and its entry is gone.
    if (!fewer.empty() && fewer.size() < differences.size()) differences = std::move(fewer);
  }
  for (const Difference& difference : differences) lookup.reasons.push_back(describe(difference));
}

// Sorts candidates out by what sets them apart, before anything is asked that they share. Each file is asked once, and most
// candidates are ruled out by the first.
class Sieve {
 public:
  Sieve(Verifier& verifier, const Traces& traces)
      : verifier_(verifier), traces_(traces), differ_(traces.inputs_that_differ()), known_(traces.inputs.size()) {}

  bool rules_out(const Candidate& candidate) {
    for (const Rows& run : candidate.inputs) {
      for (uint32_t i = run.first; i < run.first + run.count; ++i) {
        if (differ_[i] && !holds(i)) return true;
      }
    }
    return false;
  }

 private:
  enum class Answer : uint8_t { unknown, yes, no };

  bool holds(uint32_t row) {
    if (known_[row] == Answer::unknown) known_[row] = verifier_.holds(traces_.inputs[row]) ? Answer::yes : Answer::no;
    return known_[row] == Answer::yes;
  }

  Verifier& verifier_;
  const Traces& traces_;
  std::vector<bool> differ_;
  std::vector<Answer> known_;
};

}  // namespace

Lookup find_entry(FileSystem& fs, const StoreLayout& layout, Verifier& verifier, const InvocationKey& key) {
  Lookup lookup;
  Result<std::string> bytes = read_file(fs, layout.trace(key), kMaxTracesSize);
  if (!bytes.ok()) return lookup;
  Result<Traces> traces = decode_traces(*bytes, key);
  if (!traces.ok()) {
    lookup.rejection = traces.error().message;
    return lookup;
  }
  lookup.known_invocation = !traces->candidates.empty();
  Sieve sieve(verifier, *traces);
  for (const Candidate& candidate : traces->candidates) {
    if (sieve.rules_out(candidate)) continue;
    if (verifier.first_difference(traces->set_of(candidate), candidate.action).kind != Difference::none) continue;
    std::string path = layout.entry(candidate.action);
    Result<std::string> entry_bytes = read_file(fs, path, kMaxEntrySize);
    if (!entry_bytes.ok()) {
      if (lookup.rejection.empty()) lookup.rejection = "entry evicted";
      if (lookup.missing.digest.is_zero()) lookup.missing = candidate.action;
      continue;
    }
    Result<Entry> entry = decode_entry(*entry_bytes, candidate.action);
    if (!entry.ok()) {
      lookup.rejection = std::move(entry).error().message;
      (void)fs.unlink(path);
      continue;
    }
    lookup.entry = std::move(entry).value();
    lookup.found = true;
    return lookup;
  }
  if (lookup.known_invocation) explain(verifier, *traces, lookup);
  return lookup;
}

}  // namespace kache
