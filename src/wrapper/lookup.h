// Lookup: from an invocation key to an entry whose inputs all hold here and now.
#pragma once

#include <string>
#include <vector>

#include "store/blob.h"
#include "store/entry.h"
#include "store/traces.h"
#include "store/verify.h"

namespace kache {

struct Lookup {
  bool found = false;
  Entry entry;
  ActionKey missing;                  // all holds for this one, but its entry is not here; zero: there is none such
  bool known_invocation = false;      // there were candidates
  bool only_files_differ = false;     // the newest candidate fails for the content of files alone
  std::vector<std::string> reasons;   // what differs from the nearest candidate; for people
  std::string rejection;              // an entry was found and could not be used
};

Lookup find_entry(FileSystem& fs, const StoreLayout& layout, Verifier& verifier, const InvocationKey& key);

}  // namespace kache
