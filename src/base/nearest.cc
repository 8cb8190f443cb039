#include "base/nearest.h"

#include <algorithm>

namespace kache {
namespace {

// Words are short; what is not, is no slip of the keyboard.
constexpr size_t kLongest = 100;

// With two neighbours that changed places counted as one slip.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      next[j] = std::min({row[j - 1] + (a[i - 1] != b[j - 1]), row[j] + 1, next[j - 1] + 1});
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before.swap(row);
    row.swap(next);
  }
  return row[b.size()];
}

}  // namespace

std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& known) {
  std::string_view best, begins;
  size_t least = word.size() / 3 + 1, beginnings = 0;
  if (word.empty() || word.size() > kLongest) return {};
  for (std::string_view one : known) {
    if (word.size() >= 2 && one.starts_with(word)) {
      begins = one;
      ++beginnings;
    }
    size_t distance = edit_distance(word, one);
    if (distance >= least) continue;
    least = distance;
    best = one;
  }
  return best.empty() && beginnings == 1 ? begins : best;
}

}  // namespace kache
