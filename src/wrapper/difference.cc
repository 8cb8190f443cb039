#include "wrapper/difference.h"

#include <iterator>

namespace kache {
namespace {

// In the order of Difference::Kind. Logs hold them: a word that is changed makes old lines mean nothing to reports.
constexpr std::string_view kNouns[] = {"",        "file",     "new file", "presence of", "list of", "link",
                                       "program", "variable", "location", "time of file"};
static_assert(std::size(kNouns) == size_t{Difference::times} + 1);

}  // namespace

std::string_view noun_of(Difference::Kind kind) { return kNouns[kind]; }

std::string describe(const Difference& difference) { return std::string(noun_of(difference.kind)) + " " + difference.name; }

Difference parse_difference(std::string_view text) {
  for (size_t kind = 1; kind < std::size(kNouns); ++kind) {
    // None of them is the beginning of another.
    std::string_view noun = kNouns[kind];
    bool is_meant = text.starts_with(noun) && text.substr(noun.size()).starts_with(' ');
    if (is_meant) return {static_cast<Difference::Kind>(kind), std::string(text.substr(noun.size() + 1))};
  }
  return {};
}

}  // namespace kache
