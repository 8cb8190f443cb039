// What is generated from the two tables for people to read and for shells to load: the pages of the manual, the reference in
// docs/configuration.md, the scripts of completion. Run by the build, as inner commands.
#pragma once

#include <string>

namespace kache {

// Writes man1/kache.1, man1/kache-<command>.1 and man5/kache-config.5 below the directory. Returns the exit status.
int write_manual(const std::string& dir);
// Writes bash-completion/completions/kache, zsh/site-functions/_kache and fish/vendor_completions.d/kache.fish.
int write_completions(const std::string& dir);
// Prints the reference of all options.
int print_options_markdown();

}  // namespace kache
