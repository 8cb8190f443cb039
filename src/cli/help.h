// The help, made from the table of commands. Fits the terminal; 80 columns where there is none.
#pragma once

#include <string>
#include <vector>

#include "cli/commands.h"

namespace kache {

std::string overview(const std::vector<Command>& table);
// `path`: "kache config set"
std::string command_help(const Command& command, const std::string& path);

// "kache list [OPTION...] [NAME]"
std::string usage_of(const Command& command, const std::string& path);
// "-o, --output FILE"
std::string flag_head(const Flag& flag);
// What the flag is for, with its choices and its default.
std::string flag_help(const Flag& flag);

// Words in lines of at most `width` columns, each but the first indented. Lines that begin with two spaces stay as they are.
std::string wrapped(const std::string& text, size_t width, size_t indent);
// Of standard output; 80 where that is no terminal.
size_t terminal_width();

}  // namespace kache
