#include "wrapper/lookup.h"

#include <algorithm>

namespace kache {

std::string describe(const Difference& difference) {
  static constexpr std::string_view kNouns[] = {"", "file", "new file", "presence of", "list of",
                                                "link", "program", "variable", "location", "time of file"};
  return std::string(kNouns[difference.kind]) + " " + difference.name;
}

// What people are told is the difference to the nearest candidate. An edit loop is seen by the newest one.
static void explain(Verifier& verifier, const std::vector<Candidate>& candidates, Lookup& lookup) {
  std::vector<Difference> differences = verifier.differences(candidates.front().inputs, 8);
  lookup.only_files_differ = std::all_of(differences.begin(), differences.end(), [](const Difference& difference) {
    return difference.kind == Difference::file || difference.kind == Difference::presence;
  });
  for (size_t i = 1; i < candidates.size() && differences.size() > 1; ++i) {
    std::vector<Difference> fewer = verifier.differences(candidates[i].inputs, differences.size());
    // None: this one holds, and its entry is gone.
    if (!fewer.empty() && fewer.size() < differences.size()) differences = std::move(fewer);
  }
  for (const Difference& difference : differences) lookup.reasons.push_back(describe(difference));
}

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
  for (Candidate& candidate : traces->candidates) {
    if (verifier.first_difference(candidate.inputs, candidate.action).kind != Difference::none) continue;
    std::string path = layout.entry(candidate.action);
    Result<std::string> entry_bytes = read_file(fs, path, kMaxEntrySize);
    if (!entry_bytes.ok()) {
      if (lookup.rejection.empty()) lookup.rejection = "entry evicted";
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
  if (lookup.known_invocation) explain(verifier, traces->candidates, lookup);
  return lookup;
}

}  // namespace kache
