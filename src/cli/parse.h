// From the command line to a row of the table, with what was said stored where the row's flags point.
#pragma once

#include "cli/commands.h"

namespace kache {

struct Parsed {
  const Command* command = nullptr;  // null: it was answered, or was wrong
  int status = 0;
};

// `argv` without the program. Answers --help, --version and `help` itself; what is wrong is one line on stderr and status 2.
Parsed parse_command_line(const std::vector<Command>& table, const Words& argv);

}  // namespace kache
