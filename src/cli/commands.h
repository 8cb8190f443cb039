// The commands of kache-tool: one table of every command, its flags and its arguments. The parser (parse.cc), the help
// (help.cc), the completions (completions.cc) and the manual (man.cc) are made from it.
//
// A new command is a row in commands.cc, a member of Said for what its flags set, and a function that runs it (command.h).
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "cli/command.h"

namespace kache {

using Words = std::vector<std::string>;

// What a flag or an argument sets. The default is what stands there before the command line is read.
using FlagValue = std::variant<bool*, size_t*, std::string*, Words*>;

enum class FlagKind : uint8_t {
  optional,
  required,
  rest,    // an argument: all words from here on, whatever they look like; a Words*
  hidden,  // understood, and shown nowhere
};

struct Flag {
  std::string names;    // "-o,--output"; of an argument a word without a dash: "crate"
  std::string metavar;  // of the value: "SPAN", "FILE" and "DIR" (which shells complete); "" for a switch
  std::string help;
  FlagValue value;
  Words choices = {};  // the values there are; none: any
  FlagKind kind = FlagKind::optional;
  bool is_open = false;  // other values are taken too; the choices are what shells offer

  bool is_argument() const { return names[0] != '-'; }
  bool is_switch() const { return std::holds_alternative<bool*>(value); }
  Words spellings() const;           // "-o", "--output"
  std::string default_text() const;  // "" where there is none
};

// What has to be known before a command can run.
enum class Needs : uint8_t {
  config,          // and what is wrong with the configuration is said on stderr
  config_quietly,  // the command speaks of it itself
  nothing,
};

struct Command {
  std::string name;
  std::string summary;  // half a line
  std::string details;  // paragraphs; lines that begin with two spaces stay as they are
  std::vector<Flag> flags;
  std::function<int(const CommandContext&)> run;  // none: only its subcommands run
  Needs needs = Needs::config;
  std::string group = {};  // the heading in the help; "" for hidden
  std::vector<Command> subcommands = {};
};

// What the command line says, for every command.
struct Said {
  InitOptions init;
  bool no_service = false;
  DoctorOptions doctor;
  ShimOptions shims;
  StatsOptions stats;
  ListOptions list;
  ReportOptions report;
  BuildsOptions builds;
  DiffOptions diff;
  WhyMissOptions why_miss;
  ExplainOptions explain;
  GcOptions gc;
  PurgeOptions purge;
  Words cargo;
  std::string shell;
  ConfigOptions config;
  CleanOptions clean;
  MonitorOptions monitor;
  DaemonOptions daemon;
  KeysOptions keys;
  SyncOptions sync;
  RemoteOptions remote;
};

// `said` must outlive the table: the flags point into it.
std::vector<Command> commands(Said& said);

// The script that makes a shell complete commands, flags and their values; "" for a shell that is not known.
std::string completions(const std::vector<Command>& table, std::string_view shell);
Words completion_shells();

// What is true of all commands, for the head of the help and of the manual.
extern const char* const kAbout;
extern const char* const kWays;

const Command* find_command(const std::vector<Command>& table, std::string_view name);

}  // namespace kache
