#include "cli/checklist.h"

#include <algorithm>
#include <cstdio>

namespace kache {
namespace {

struct Look {
  const char *name, *mark;
  int colour;  // of a terminal; 0 for none
};
// In the order of Check::Status.
constexpr Look kLooks[] = {{"ok", "ok ", 32}, {"issue", "BAD", 31}, {"note", "-  ", 0}};

}  // namespace

const char* status_name(Check::Status status) { return kLooks[status].name; }

int Checklist::issues() const {
  return static_cast<int>(std::count_if(checks_.begin(), checks_.end(), [](const Check& check) { return check.status == Check::issue; }));
}

void Checklist::print(bool colours) const {
  size_t width = 0;
  for (const Check& check : checks_) width = std::max(width, check.label.size());
  for (const Check& check : checks_) {
    const Look& look = kLooks[check.status];
    if (colours && look.colour) std::printf("  \x1b[%dm%s\x1b[0m ", look.colour, look.mark);
    else std::printf("  %s ", look.mark);
    std::printf("%-*s  %s\n", static_cast<int>(width), check.label.c_str(), check.detail.c_str());
    if (!check.fix.empty()) std::printf("      -> %s\n", check.fix.c_str());
  }
  if (issues() == 0) std::puts("\n  All checks passed.");
  else std::printf("\n  %d issue(s) found.\n", issues());
}

}  // namespace kache
