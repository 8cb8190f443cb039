#include "cli/help.h"

#include <sys/ioctl.h>

#include <algorithm>

namespace kache {
namespace {

constexpr size_t kWidest = 100, kNarrowest = 40;

std::string heading(const std::string& text) { return "\n" + text + ":\n"; }

struct Row {
  std::string head, text;
};

// A list of terms with their explanations beside them; below them, where the terminal is too narrow.
std::string rows(const std::vector<Row>& list, size_t width) {
  size_t column = 0;
  for (const Row& row : list) column = std::max(column, row.head.size() + 4);
  bool below = column > 30 || column + 30 > width;
  if (below) column = 8;
  std::string out;
  for (const Row& row : list) {
    out += "  " + (below ? row.head + "\n" + std::string(column, ' ') : padded(row.head, column - 2));
    out += wrapped(row.text, width, column) + "\n";
  }
  return out;
}

bool is_shown(const Flag& flag) { return flag.kind != FlagKind::hidden; }

}  // namespace

size_t terminal_width() {
  struct winsize size;
  if (::ioctl(1, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return std::clamp<size_t>(size.ws_col, kNarrowest, kWidest);
}

std::string wrapped(const std::string& text, size_t width, size_t indent) {
  const std::string newline = "\n" + std::string(indent, ' ');
  std::string out;
  size_t column = indent;
  for (size_t start = 0; start <= text.size();) {
    size_t end = std::min(text.find('\n', start), text.size());
    std::string line = text.substr(start, end - start);
    if (start > 0) {
      out += line.empty() ? "\n" : newline;
      column = indent;
    }
    start = end + 1;
    if (line.starts_with("  ")) {
      out += line;
      continue;
    }
    for (size_t from = 0; from < line.size();) {
      size_t to = std::min(line.find(' ', from), line.size());
      if (from > 0 && column + 1 + to - from > width) {
        out += newline;
        column = indent;
      } else if (from > 0) {
        out += ' ';
        ++column;
      }
      out += line.substr(from, to - from);
      column += to - from;
      from = to + 1;
    }
  }
  return out;
}

std::string flag_head(const Flag& flag) {
  if (flag.is_argument()) return flag.metavar;
  std::string out;
  for (const std::string& spelling : flag.spellings()) out += (out.empty() ? "" : ", ") + spelling;
  return flag.is_switch() ? out : out + " " + flag.metavar;
}

std::string flag_help(const Flag& flag) {
  std::string out = flag.help;
  for (size_t i = 0; !flag.is_open && i < flag.choices.size(); ++i) out += (i == 0 ? ": " : i + 1 < flag.choices.size() ? ", " : " or ") + flag.choices[i];
  std::string value = flag.default_text();
  return value.empty() ? out : out + " (default " + value + ")";
}

std::string usage_of(const Command& command, const std::string& path) {
  std::string out = path;
  bool has_flags = std::any_of(command.flags.begin(), command.flags.end(), [](const Flag& flag) { return !flag.is_argument() && is_shown(flag); });
  if (has_flags) out += " [OPTION...]";
  for (const Flag& flag : command.flags) {
    if (!flag.is_argument()) continue;
    bool many = std::holds_alternative<Words*>(flag.value);
    std::string word = flag.metavar + (many ? "..." : "");
    out += flag.kind == FlagKind::optional ? " [" + word + "]" : " " + word;
  }
  return out;
}

std::string command_help(const Command& command, const std::string& path) {
  size_t width = terminal_width();
  std::string out = wrapped(path + ": " + command.summary, width, 0) + "\n\nUsage: ";
  if (command.run) out += usage_of(command, path) + "\n";
  if (!command.subcommands.empty()) out += (command.run ? "       " : "") + path + " COMMAND ...\n";
  if (!command.details.empty()) out += "\n" + wrapped(command.details, width, 0) + "\n";
  std::vector<Row> subcommands, arguments, options;
  for (const Command& one : command.subcommands) subcommands.push_back({one.name, one.summary});
  for (const Flag& flag : command.flags) {
    if (is_shown(flag)) (flag.is_argument() ? arguments : options).push_back({flag_head(flag), flag_help(flag)});
  }
  options.push_back({"-h, --help", "this text"});
  if (!subcommands.empty()) out += heading("Commands") + rows(subcommands, width);
  if (!arguments.empty()) out += heading("Arguments") + rows(arguments, width);
  return out + heading("Options") + rows(options, width);
}

std::string overview(const std::vector<Command>& table) {
  size_t width = terminal_width();
  std::string out = std::string(kAbout) + "\n\nUsage: kache COMMAND [OPTION...]\n       kache COMPILER [ARGUMENT...]\n";
  std::vector<std::string> groups;
  for (const Command& command : table) {
    if (!command.group.empty() && std::find(groups.begin(), groups.end(), command.group) == groups.end()) groups.push_back(command.group);
  }
  for (const std::string& group : groups) {
    std::vector<Row> list;
    for (const Command& command : table) {
      if (command.group == group) list.push_back({command.name, command.summary});
    }
    out += heading(group) + rows(list, width);
  }
  out += heading("Options") + rows({{"-h, --help", "this text; of one command: kache help COMMAND"}, {"-V, --version", "which kache this is"}}, width);
  return out + "\n" + kWays + "\n";
}

}  // namespace kache
