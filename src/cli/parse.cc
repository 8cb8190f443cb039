#include "cli/parse.h"

#include <charconv>
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/nearest.h"
#include "cli/help.h"

namespace kache {
namespace {

// "kache config set" and the row it ends in, as far as the words are commands.
struct Place {
  std::string path = "kache";
  const Command* command = nullptr;
};

int wrong(const std::string& path, const std::string& message) {
  std::fprintf(stderr, "%s: %s\n", path.c_str(), message.c_str());
  return 2;
}

std::string did_you_mean(const std::string& word, const Words& known) {
  std::string_view near = nearest_word(word, {known.begin(), known.end()});
  return near.empty() ? "" : "; did you mean " + std::string(near) + "?";
}

std::string see_help(const std::string& path) { return "; see " + path + " --help"; }

Words names_of(const std::vector<Command>& table) {
  Words names;
  for (const Command& command : table) {
    if (!command.group.empty()) names.push_back(command.name);
  }
  return names;
}

// "name, size or age"
std::string alternatives(const Words& words) {
  std::string out;
  for (size_t i = 0; i < words.size(); ++i) out += (i == 0 ? "" : i + 1 < words.size() ? ", " : " or ") + words[i];
  return out;
}

void assign(const Flag& flag, const std::string& text) {
  std::string name = flag.spellings().back();
  if (auto* number = std::get_if<size_t*>(&flag.value)) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), **number);
    if (error != std::errc() || end != text.data() + text.size()) throw CLI::ValidationError(name + " " + text + ": a number is expected");
    return;
  }
  if (!flag.is_open && !flag.choices.empty() && std::find(flag.choices.begin(), flag.choices.end(), text) == flag.choices.end()) {
    std::string given = flag.is_argument() ? flag.metavar + " " + text : name + " " + text;
    throw CLI::ValidationError(given + ": choose " + alternatives(flag.choices) + did_you_mean(text, flag.choices));
  }
  if (auto* single = std::get_if<std::string*>(&flag.value)) **single = text;
  else std::get<Words*>(flag.value)->push_back(text);
}

void add_flag(CLI::App& app, const Flag& flag) {
  if (flag.kind == FlagKind::rest) {
    app.prefix_command();
    return;
  }
  if (auto* on = std::get_if<bool*>(&flag.value)) {
    app.add_flag(flag.names, **on);
    return;
  }
  CLI::Option* option;
  if (std::holds_alternative<Words*>(flag.value)) {
    option = app.add_option_function<Words>(flag.names, [&flag](const Words& words) {
      for (const std::string& word : words) assign(flag, word);
    });
  } else {
    option = app.add_option_function<std::string>(flag.names, [&flag](const std::string& text) { assign(flag, text); });
    option->take_last();
  }
  option->type_name(flag.metavar);
  if (flag.kind == FlagKind::required) option->required();
}

void add_commands(CLI::App& app, const std::vector<Command>& table) {
  for (const Command& command : table) {
    CLI::App* added = app.add_subcommand(command.name);
    for (const Flag& flag : command.flags) add_flag(*added, flag);
    add_commands(*added, command.subcommands);
    if (!command.subcommands.empty()) added->require_subcommand(0, 1);
  }
}

Place place_of(const CLI::App& app, const std::vector<Command>& table) {
  Place place;
  const std::vector<Command>* rows = &table;
  const CLI::App* at = &app;
  for (std::vector<CLI::App*> next; !(next = at->get_subcommands()).empty();) {
    at = next.front();
    place.command = find_command(*rows, at->get_name());
    place.path += " " + place.command->name;
    rows = &place.command->subcommands;
  }
  return place;
}

// A word that no flag, argument or subcommand has taken.
int complain_of_extra(const Place& place, const std::string& word) {
  const Command& command = *place.command;
  if (word.size() > 1 && word[0] == '-') {
    std::string name = word.substr(0, word.find('='));
    Words known = {"--help"};
    for (const Flag& flag : command.flags) {
      if (flag.is_argument() || flag.kind == FlagKind::hidden) continue;
      for (const std::string& spelling : flag.spellings()) known.push_back(spelling);
    }
    std::string near = did_you_mean(name, known);
    return wrong(place.path, "there is no flag " + name + (near.empty() ? see_help(place.path) : near));
  }
  if (!command.subcommands.empty()) {
    Words known = names_of(command.subcommands);
    return wrong(place.path, "there is no command " + word + "; choose " + alternatives(known) + did_you_mean(word, known));
  }
  return wrong(place.path, "nothing is expected where \"" + word + "\" stands" + see_help(place.path));
}

int complain_of_missing(const Place& place) {
  for (const Flag& flag : place.command->flags) {
    if (flag.kind != FlagKind::required) continue;
    auto* text = std::get_if<std::string*>(&flag.value);
    if (text && !(*text)->empty()) continue;
    return wrong(place.path, (flag.is_argument() ? flag.metavar : flag.names) + " is missing: " + flag.help + see_help(place.path));
  }
  return wrong(place.path, "something is missing" + see_help(place.path));
}

// "--since: 1 required SPAN missing" and "Could not convert: --json = x" of CLI11, in our words.
int complain_of_value(const Place& place, std::string what) {
  constexpr std::string_view kNoSwitch = "Could not convert: ";
  if (what.starts_with(kNoSwitch)) what.erase(0, kNoSwitch.size());
  std::string name = what.substr(0, what.find_first_of(": "));
  for (const Flag& flag : place.command->flags) {
    Words spellings = flag.spellings();
    if (std::find(spellings.begin(), spellings.end(), name) == spellings.end()) continue;
    return wrong(place.path, name + (flag.is_switch() ? " takes no value" : " needs a value: " + flag.metavar + ", " + flag.help));
  }
  return wrong(place.path, what + see_help(place.path));
}

// A first word that is no command. kache ld -r a.o: a bare word is taken for a slip of the keyboard.
int complain_of_command(const std::vector<Command>& table, const std::string& word, bool after_help) {
  std::string near = did_you_mean(word, names_of(table));
  if (word[0] == '-') return wrong("kache", "there is no flag " + word + "; see kache --help");
  if (!near.empty()) return wrong("kache", word + " is no command" + near);
  if (after_help) return wrong("kache", word + " is no command; see kache --help");
  return wrong("kache", word + " is no command, and no compiler that kache knows by this name; see kache --help, or name the program "
                        "by its path: kache /path/to/" + word);
}

int show_help(const std::vector<Command>& table, const Place& place) {
  std::fputs(place.command ? command_help(*place.command, place.path).c_str() : overview(table).c_str(), stdout);
  return 0;
}

// `kache help config set`
int answer_help(const std::vector<Command>& table, const Words& argv) {
  Place place;
  const std::vector<Command>* rows = &table;
  for (size_t i = 1; i < argv.size() && !argv[i].starts_with('-'); ++i) {
    const Command* next = find_command(*rows, argv[i]);
    if (!next && place.command) return complain_of_extra(place, argv[i]);
    if (!next) return complain_of_command(table, argv[i], true);
    place.command = next;
    place.path += " " + next->name;
    rows = &next->subcommands;
  }
  return show_help(table, place);
}

void take_rest(const Command& command, const CLI::App& app) {
  for (const Flag& flag : command.flags) {
    if (flag.kind == FlagKind::rest) *std::get<Words*>(flag.value) = app.remaining(true);
  }
}

bool takes_rest(const Command& command) {
  return !command.flags.empty() && command.flags.back().kind == FlagKind::rest;
}

}  // namespace

Parsed parse_command_line(const std::vector<Command>& table, const Words& argv) {
  const std::string first = argv.empty() ? "help" : argv[0];
  if (first == "help") return {nullptr, answer_help(table, argv)};
  bool is_version = first == "-V" || first == "--version", is_help = first == "-h" || first == "--help";
  if (is_version) return std::puts("kache " KACHE_VERSION), Parsed{};
  if (!is_help && !find_command(table, first)) return {nullptr, complain_of_command(table, first, false)};

  CLI::App app("", "kache");
  add_commands(app, table);
  app.require_subcommand(0, 1);
  Words reversed(argv.rbegin(), argv.rend());  // as CLI11 takes them
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return {nullptr, show_help(table, place_of(app, table))};
  } catch (const CLI::ValidationError& error) {
    return {nullptr, wrong(place_of(app, table).path, error.what())};
  } catch (const CLI::ParseError& error) {
    Place place = place_of(app, table);
    if (place.command && takes_rest(*place.command) && dynamic_cast<const CLI::ExtrasError*>(&error)) {
      take_rest(*place.command, app);
      return {place.command, 0};
    }
    Words extras = app.remaining(true);
    if (!place.command) return {nullptr, wrong("kache", std::string(error.what()) + see_help("kache"))};
    if (!extras.empty()) return {nullptr, complain_of_extra(place, extras.front())};
    if (dynamic_cast<const CLI::RequiredError*>(&error)) return {nullptr, complain_of_missing(place)};
    return {nullptr, complain_of_value(place, error.what())};
  }
  Place place = place_of(app, table);
  take_rest(*place.command, app);
  if (!place.command->run) return show_help(table, place), Parsed{nullptr, 2};
  return {place.command, 0};
}

}  // namespace kache
