// Scripts for shells, made from the table of commands. They are static: nothing is run when somebody presses the tab key.
#include <algorithm>

#include "cli/commands.h"

namespace kache {
namespace {

struct Level {
  std::string path;  // "kache config set"
  const Command* command;
};

// Every command with its path, outer ones first.
void collect(const std::vector<Command>& table, const std::string& path, std::vector<Level>& levels) {
  for (const Command& command : table) {
    if (command.group.empty()) continue;
    levels.push_back({path + " " + command.name, &command});
    collect(command.subcommands, path + " " + command.name, levels);
  }
}

std::vector<Level> levels_of(const std::vector<Command>& table) {
  std::vector<Level> levels;
  collect(table, "kache", levels);
  return levels;
}

// In single quotes for all three shells.
std::string quoted(std::string_view text, bool for_fish = false) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += for_fish ? "\\'" : "'\\''";
    else if (c == '\\' && for_fish) out += "\\\\";
    else out += c;
  }
  return out + "'";
}

std::string joined(const Words& words, const char* separator = " ") {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : separator) + word;
  return out;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) text.replace(at, what.size(), with);
  return text;
}

Words visible_names(const std::vector<Command>& table) {
  Words names;
  for (const Command& command : table) {
    if (!command.group.empty()) names.push_back(command.name);
  }
  return names;
}

// --- bash ---

std::string bash_values(const Flag& flag) {
  if (!flag.choices.empty()) return "COMPREPLY=($(compgen -W " + quoted(joined(flag.choices)) + " -- \"$word\"))";
  if (flag.metavar == "FILE") return "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\"))";
  if (flag.metavar == "DIR") return "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$word\"))";
  return ":";
}

std::string bash_script(const std::vector<Command>& table) {
  std::vector<Level> levels = levels_of(table);
  std::string paths, values, places;
  for (const Level& level : levels) {
    paths += std::string(paths.empty() ? "" : "|") + "\"" + level.path + "\"";
    Words flags = {"-h", "--help"};
    std::string argument;
    for (const Flag& flag : level.command->flags) {
      if (flag.kind == FlagKind::hidden) continue;
      if (flag.is_argument()) {
        if (argument.empty()) argument = bash_values(flag);
        continue;
      }
      std::string pattern;
      for (const std::string& spelling : flag.spellings()) {
        flags.push_back(spelling);
        pattern += (pattern.empty() ? "\"" : "|\"") + level.path + " " + spelling + "\"";
      }
      if (!flag.is_switch()) values += "    " + pattern + ") " + bash_values(flag) + "; return ;;\n";
    }
    Words names = visible_names(level.command->subcommands);
    if (!names.empty()) argument = "COMPREPLY=($(compgen -W " + quoted(joined(names)) + " -- \"$word\"))";
    places += "    \"" + level.path + "\") flags=" + quoted(joined(flags)) + "\n      " + (argument.empty() ? ":" : argument) + " ;;\n";
  }
  return "# Completion of kache in bash, made by `kache completions bash`.\n"
         "_kache() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} place=kache flags='' i\n"
         "  COMPREPLY=()\n"
         "  if [[ $word == = ]]; then word=''\n"
         "  elif [[ $before == = ]]; then before=${COMP_WORDS[COMP_CWORD-2]}\n"
         "  fi\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case \"$place ${COMP_WORDS[i]}\" in\n      " + paths + ") place=\"$place ${COMP_WORDS[i]}\" ;;\n    esac\n"
         "  done\n"
         "  case \"$place $before\" in\n" + values + "  esac\n"
         "  case \"$place\" in\n"
         "    kache) flags='-h --help -V --version'\n"
         "      if ((COMP_CWORD > 1)) && [[ ${COMP_WORDS[1]} != help ]]; then\n"
         "        compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\")); return  # a compiler and its arguments\n"
         "      fi\n"
         "      COMPREPLY=($(compgen -W " + quoted(joined(visible_names(table)) + " help") + " -- \"$word\")) ;;\n" + places + "  esac\n"
         "  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W \"$flags\" -- \"$word\")); fi\n"
         "}\n"
         "complete -F _kache kache\n";
}

// --- zsh ---

// Inside of '...[help]' and '...:message:action'.
std::string zsh_text(const std::string& text) {
  std::string out = text;
  for (const char* special : {"\\", "[", "]", ":"}) out = replaced(out, special, std::string("\\") + special);
  return out;
}

std::string zsh_action(const Flag& flag) {
  std::string message = ":" + zsh_text(flag.metavar) + ":";
  if (!flag.choices.empty()) return message + "(" + joined(flag.choices) + ")";
  if (flag.metavar == "FILE") return message + "_files";
  if (flag.metavar == "DIR") return message + "_files -/";
  return message + " ";
}

std::string zsh_function(const std::string& path) { return "_" + replaced(replaced(path, " ", "_"), "-", "_"); }

std::string zsh_arguments(const std::vector<Flag>& flags) {
  std::string out;
  for (const Flag& flag : flags) {
    if (flag.kind == FlagKind::hidden) continue;
    if (flag.is_argument()) {
      bool many = std::holds_alternative<Words*>(flag.value);
      out += " \\\n    " + quoted((many ? "*" : flag.kind == FlagKind::required ? "1" : "1:") + zsh_action(flag));
      continue;
    }
    Words spellings = flag.spellings();
    std::string others = "(" + joined(spellings) + ")";
    for (const std::string& spelling : spellings) {
      std::string value = flag.is_switch() ? "" : spelling.starts_with("--") ? "=" : "+";
      out += " \\\n    " + quoted((spellings.size() > 1 ? others : "") + spelling + value + "[" + zsh_text(flag.help) + "]" +
                                  (flag.is_switch() ? "" : zsh_action(flag)));
    }
  }
  return out + " \\\n    '(- *)'{-h,--help}'[this text]'";
}

// A function for each command: its flags, and what may stand behind it.
std::string zsh_level(const std::vector<Command>& table, const std::vector<Flag>& flags, const std::string& path) {
  std::string out;
  for (const Command& command : table) {
    if (!command.group.empty()) out += zsh_level(command.subcommands, command.flags, path + " " + command.name);
  }
  Words names = visible_names(table);
  out += zsh_function(path) + "() {\n";
  if (names.empty()) return out + "  _arguments -s" + zsh_arguments(flags) + "\n}\n";
  bool is_top = path == "kache";
  out += "  local context state state_descr line\n  typeset -A opt_args\n  _arguments -C" + zsh_arguments(flags);
  if (is_top) out += " \\\n    '(- *)'{-V,--version}'[which kache this is]'";
  out += " \\\n    '1:command:->command' '*::argument:->argument'\n  case $state in\n    command)\n      local -a commands=(";
  for (const Command& command : table) {
    if (!command.group.empty()) out += "\n        " + quoted(command.name + ":" + replaced(command.summary, ":", "\\:"));
  }
  if (is_top) out += "\n        'help:of one command'";
  out += "\n      )\n      _describe command commands ;;\n    argument)\n      case $words[1] in\n";
  for (const std::string& name : names) out += "        " + name + ") " + zsh_function(path + " " + name) + " ;;\n";
  if (is_top) out += "        help) _values command " + joined(names) + " ;;\n        *) _files ;;\n";
  return out + "      esac ;;\n  esac\n}\n";
}

std::string zsh_script(const std::vector<Command>& table) {
  return "#compdef kache\n# Completion of kache in zsh, made by `kache completions zsh`.\n" + zsh_level(table, {}, "kache") +
         "if [[ $funcstack[1] == _kache ]]; then _kache \"$@\"; else compdef _kache kache; fi\n";
}

// --- fish ---

std::string fish_line(const std::string& path, const std::string& rest) {
  return "complete -c kache -n " + quoted("__kache_at " + path, true) + " " + rest + "\n";
}

std::string fish_values(const Flag& flag) {
  if (!flag.choices.empty()) return "-x -a " + quoted(joined(flag.choices), true);
  if (flag.metavar == "FILE") return "-r -F";
  if (flag.metavar == "DIR") return "-x -a '(__fish_complete_directories)'";
  return "-x";
}

std::string fish_script(const std::vector<Command>& table) {
  std::vector<Level> levels = levels_of(table);
  std::string paths, lines;
  for (const Level& level : levels) paths += " " + quoted(level.path, true);
  auto offer = [&](const std::string& path, const std::vector<Command>& rows) {
    for (const Command& command : rows) {
      if (!command.group.empty()) lines += fish_line(path, "-a " + command.name + " -d " + quoted(command.summary, true));
    }
    lines += fish_line(path, "-s h -l help -d 'this text'");
  };
  offer("kache", table);
  lines += fish_line("kache", "-a help -d 'of one command'") + fish_line("kache", "-s V -l version -d 'which kache this is'");
  for (const Level& level : levels) {
    offer(level.path, level.command->subcommands);
    bool had_argument = false;
    for (const Flag& flag : level.command->flags) {
      if (flag.kind == FlagKind::hidden) continue;
      if (flag.is_argument()) {
        std::string values = fish_values(flag);
        if (!had_argument && values.starts_with("-x -a ")) lines += fish_line(level.path, values.substr(3));
        had_argument = true;
        continue;
      }
      std::string names;
      for (const std::string& spelling : flag.spellings()) {
        names += spelling.starts_with("--") ? "-l " + spelling.substr(2) + " " : "-s " + spelling.substr(1) + " ";
      }
      lines += fish_line(level.path, names + (flag.is_switch() ? "" : fish_values(flag) + " ") + "-d " + quoted(flag.help, true));
    }
  }
  return "# Completion of kache in fish, made by `kache completions fish`.\n"
         "function __kache_at\n"
         "  set -l place kache\n"
         "  set -l words (commandline -opc)\n"
         "  for word in $words[2..-1]\n"
         "    contains -- \"$place $word\"" + paths + "; and set place \"$place $word\"\n"
         "  end\n"
         "  test \"$place\" = \"$argv\"; or return 1\n"
         "  test \"$place\" != kache; or test (count $words) -eq 1\n"
         "end\n"
         "complete -c kache -n 'test (count (commandline -opc)) -eq 1' -f\n"
         "complete -c kache -n 'contains -- (commandline -opc)[2] " + joined(visible_names(table)) + " help' -f\n" +
         "complete -c kache -n 'test (count (commandline -opc)) -eq 2; and test (commandline -opc)[2] = help' -a " +
         quoted(joined(visible_names(table)), true) + "\n" + lines;
}

struct Shell {
  const char* name;
  std::string (*script)(const std::vector<Command>& table);
};
constexpr Shell kShells[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

}  // namespace

Words completion_shells() {
  Words names;
  for (const Shell& shell : kShells) names.emplace_back(shell.name);
  return names;
}

std::string completions(const std::vector<Command>& table, std::string_view shell) {
  auto row = std::find_if(std::begin(kShells), std::end(kShells), [&](const Shell& one) { return one.name == shell; });
  return row == std::end(kShells) ? "" : row->script(table);
}

}  // namespace kache
