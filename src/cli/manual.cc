#include "cli/manual.h"

#include <cstdio>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/roff.h"
#include "cli/settings.h"

namespace kache {
namespace {

struct Variable {
  const char *name, *help;
};
// Those that set no option.
constexpr Variable kVariables[] = {
    {"KACHE_DISABLED", "1: run the compiler directly"},
    {"KACHE_CONFIG", "the configuration file; default the nearest .kache.toml, then ~/.config/kache/config.toml"},
    {"KACHE_IDLE_LOAD", "what load counts as idle for `cache.remote.verify`; a quarter of the processors without it"},
    {"KACHE_CHECK_HITS", "1: run the compiler on every hit as well, and say what differs; for tests and doubts"},
    {"KACHE_LIBEXEC", "where kache-tool and the recorder lie; default ../libexec/kache beside the program's directory"},
};
constexpr Variable kOwnVariables[] = {
    {"KACHE_ACTIVE", "a kache in there runs the compiler directly"},
    {"KACHE_STARTED", "the programs that were found along PATH so far; they are not taken a second time"},
    {"KACHE_RECORD, LD_PRELOAD", "carry the recorder in a compile that is recorded"},
};

constexpr const char* kDescription =
    "Put in front of rustc (as RUSTC_WRAPPER, or as build.rustc-wrapper in cargo's configuration), in front of a compiler of C or C++, "
    "of a link or of ar (as in CC=\"kache cc\", as CMAKE_C_COMPILER_LAUNCHER and CMAKE_CXX_COMPILER_LAUNCHER, or by install-shims), kache "
    "gives back what was already compiled. What a compile depends on is recorded while the real compiler runs; nothing has to be "
    "declared. Whatever goes wrong, the real compiler is run.";

constexpr const char* kNames =
    "A first argument is taken for a compiler when it has the name of one, or when it is a program that is asked to compile a source. A "
    "bare name that is neither (as in kache ld -r a.o) is taken for a command; named by its path (kache /usr/bin/ld ...) the program is "
    "run as asked. clang --analyze counts as a link. The cc crate of Rust's build scripts takes CC=\"kache cc\" for a compiler behind a "
    "wrapper with CC_KNOWN_WRAPPER_CUSTOM=kache.";

constexpr const char* kStatus =
    "As a wrapper, that of the compiler. As a command: 0 done, 1 failed, or trouble found (doctor --verify, config check), 2 wrong usage, "
    "3 issues found by doctor --strict. doctor alone ends with 0, however many issues it finds.";

constexpr const char* kFileRules =
    "The file is TOML. Keys may stand in tables ([cache]) or be dotted (cache.auto_gc = true). A value that can not be used leaves its "
    "default in force and the other values alone; a file that is no TOML leaves all defaults in force. Every command says what is wrong, "
    "kache config check with line and column, and builds go on.\n\n"
    "Sizes: 4096, 500MB, 1.5GiB; units of 1000 (kB MB GB TB PB EB, or only k m g t p e) and of 1024 (KiB MiB GiB TiB PiB EiB). "
    "Spans of time: a bare number in the unit of the key, or 250ms, 45s, 30m, 24h, 7d, 2w, 1.5h, 1h30m; rounded up to that unit. "
    "True: true, yes, on, 1; false: false, no, off, 0. Lists in variables are apart by commas or spaces.";

std::string summary_of(const Option& option) {
  std::string out(option.help);
  std::string value = default_text(option);
  out += "\n\nType: " + type_text(option) + ".";
  if (!value.empty()) out += " Default: " + value + ".";
  return out;
}

void add_flags(ManPage& page, const std::vector<Flag>& flags) {
  for (const Flag& flag : flags) {
    if (flag.kind != FlagKind::hidden) page.item(flag_head(flag), flag_help(flag));
  }
}

void add_usage(ManPage& page, const Command& command, const std::string& path) {
  if (command.run) page.bold_line(usage_of(command, path));
  for (const Command& one : command.subcommands) {
    page.new_line();
    page.bold_line(usage_of(one, path + " " + one.name));
  }
}

std::string command_page(const Command& command, const std::string& also) {
  std::string path = "kache " + command.name;
  ManPage page("kache-" + command.name, 1, command.summary);
  page.section("SYNOPSIS");
  add_usage(page, command, path);
  page.section("DESCRIPTION");
  std::string first = command.summary + ".";
  if (first[0] >= 'a' && first[0] <= 'z') first[0] = static_cast<char>(first[0] - 32);
  page.paragraphs(first + (command.details.empty() ? "" : "\n\n" + command.details));
  page.section("OPTIONS");
  add_flags(page, command.flags);
  page.item("-h, --help", "the options of the command");
  if (!command.subcommands.empty()) page.section("COMMANDS");
  for (const Command& one : command.subcommands) {
    page.subsection(usage_of(one, path + " " + one.name));
    page.paragraphs(one.summary + (one.details.empty() ? "" : "\n\n" + one.details));
    add_flags(page, one.flags);
  }
  page.section("SEE ALSO");
  page.paragraphs(also);
  return page.text();
}

std::string main_page(const std::vector<Command>& table) {
  ManPage page("kache", 1, "content-addressed compiler cache for Rust, C and C++");
  page.section("SYNOPSIS");
  page.bold_line("kache rustc|gcc|clang|clang-cl|ar|ranlib [ARGUMENT...]");
  page.new_line();
  page.bold_line("kache COMMAND [OPTION...]");
  page.section("DESCRIPTION");
  page.paragraphs(std::string(kDescription) + "\n\n" + kWays);
  page.section("COMMANDS");
  std::string also = "kache-config(5)";
  for (const Command& command : table) {
    if (command.group.empty()) continue;
    page.item(usage_of(command, command.name), command.summary + "; see kache-" + command.name + "(1)");
    also += ", kache-" + command.name + "(1)";
  }
  page.item("help [COMMAND]", "the options of a command");
  page.section("ENVIRONMENT");
  for (const Variable& variable : kVariables) page.item(variable.name, variable.help);
  for (size_t i = 0; i < option_count(); ++i) {
    const Option& option = options()[i];
    if (!option.variable.empty()) page.item(option.variable, std::string(option.help));
  }
  page.paragraphs("Set by kache for what it starts, and not to be set by hand:");
  for (const Variable& variable : kOwnVariables) page.item(variable.name, variable.help);
  page.section("FILES");
  page.item(".kache.toml, ~/.config/kache/config.toml", "the configuration, see kache-config(5)");
  page.item("kache.toml", "beside a Cargo.toml: extra_inputs = [\"glob\", ...], files that matter and that no recorder can see");
  page.item("~/.cache/kache", "the cache");
  page.section("EXIT STATUS");
  page.paragraphs(kStatus);
  page.section("NAMES OF COMPILERS");
  page.paragraphs(kNames);
  page.section("SEE ALSO");
  page.paragraphs(also);
  return page.text();
}

std::string config_page() {
  ManPage page("kache-config", 5, "the configuration of kache");
  page.section("DESCRIPTION");
  page.paragraphs(std::string("A value comes from the environment, else from the one configuration file, else it is the default. The file is "
                              "$KACHE_CONFIG, else the nearest .kache.toml from the working directory upwards (then from the output "
                              "directory upwards), else $XDG_CONFIG_HOME/kache/config.toml or ~/.config/kache/config.toml.\n\n") + kFileRules);
  page.section("OPTIONS");
  for (size_t i = 0; i < option_count(); ++i) {
    const Option& option = options()[i];
    if (option.key.empty()) continue;
    std::string variable = option.variable.empty() ? "" : ", " + std::string(option.variable);
    page.item(std::string(option.key) + variable, summary_of(option));
  }
  page.section("ONLY IN THE ENVIRONMENT");
  for (size_t i = 0; i < option_count(); ++i) {
    if (options()[i].key.empty()) page.item(options()[i].variable, summary_of(options()[i]));
  }
  for (const Variable& variable : kVariables) page.item(variable.name, variable.help);
  page.section("KNOWN AND NOT USED");
  page.paragraphs("A file may have these keys, which the Rust program of the same name reads. They are no problem, and change nothing here.");
  for (size_t i = 0; i < known_option_count(); ++i) page.item(known_options()[i].key, std::string(known_options()[i].help));
  page.section("EXAMPLE");
  page.paragraphs("  [cache]\n  local_max_size = \"100GiB\"\n  exclude = [\"**/generated/**\"]\n\n  [cc]\n  prefix_map = \"all\"");
  page.section("SEE ALSO");
  page.paragraphs("kache(1), kache-config(1)");
  return page.text();
}

Status write_below(const std::string& dir, const std::string& name, const std::string& text) {
  FileSystem& fs = posix_file_system();
  std::string path = dir + "/" + name;
  (void)KACHE_TRY(make_dirs(fs, path.substr(0, path.rfind('/')), 0755));
  return replace_file(fs, path, text, 0644);
}

struct Page {
  std::string name, text;
};

int write_all(const std::string& dir, const std::vector<Page>& pages) {
  for (const Page& page : pages) {
    Status written = write_below(dir, page.name, page.text);
    if (!written.ok()) return fail(written.error().message);
  }
  return 0;
}

// A cell of a table.
std::string cell(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    bool doubled = text[i] == '_' && (text.substr(i + 1).starts_with('_') || (i > 0 && text[i - 1] == '_'));
    if (text[i] == '|' || text[i] == '*' || doubled) out += '\\';
    out += text[i];
  }
  return out;
}

std::string code(std::string_view text) { return text.empty() ? "" : "`" + std::string(text) + "`"; }

void print_rows(const Option* table, size_t count, std::string_view section) {
  for (size_t i = 0; i < count; ++i) {
    const Option& option = table[i];
    std::string_view key = option.key;
    bool is_here = section.empty() ? key.empty() : key.starts_with(section) && key.substr(section.size()).starts_with('.');
    if (!is_here) continue;
    if (section.empty()) {
      std::printf("| %s | %s | %s | %s |\n", code(option.variable).c_str(), cell(type_text(option)).c_str(), cell(default_text(option)).c_str(),
                  cell(option.help).c_str());
      continue;
    }
    std::printf("| %s | %s | %s | %s | %s |\n", code(key.substr(section.size() + 1)).c_str(), code(option.variable).c_str(),
                cell(type_text(option)).c_str(), cell(default_text(option)).c_str(), cell(option.help).c_str());
  }
}

}  // namespace

int write_manual(const std::string& dir) {
  Said said;
  std::vector<Command> table = commands(said);
  std::vector<Page> pages = {{"man1/kache.1", main_page(table)}, {"man5/kache-config.5", config_page()}};
  for (const Command& command : table) {
    if (command.group.empty()) continue;
    pages.push_back({"man1/kache-" + command.name + ".1", command_page(command, command.name == "config" ? "kache(1), kache-config(5)" : "kache(1)")});
  }
  return write_all(dir, pages);
}

int write_completions(const std::string& dir) {
  Said said;
  std::vector<Command> table = commands(said);
  return write_all(dir, {{"bash-completion/completions/kache", completions(table, "bash")},
                         {"zsh/site-functions/_kache", completions(table, "zsh")},
                         {"fish/vendor_completions.d/kache.fish", completions(table, "fish")}});
}

int print_options_markdown() {
  for (const char* section : {"cache", "cc", "paths"}) {
    std::printf("### `[%s]`\n\n| key | variable | value | default | what |\n|---|---|---|---|---|\n", section);
    print_rows(options(), option_count(), section);
    std::puts("");
  }
  std::puts("### Only in the environment\n\n| variable | value | default | what |\n|---|---|---|---|");
  print_rows(options(), option_count(), "");
  for (const Variable& variable : kVariables) std::printf("| `%s` | | | %s |\n", variable.name, cell(variable.help).c_str());
  std::puts("\nkache sets some variables itself, for what it starts; none of them is to be set by hand.\n\n| variable | what |\n|---|---|");
  for (const Variable& variable : kOwnVariables) std::printf("| `%s` | %s |\n", variable.name, variable.help);
  std::puts("\n### Known, and not used\n\nA file may have these keys, which the Rust program of the same name reads. They are no problem, and change "
            "nothing here.\n\n| key | variable | what |\n|---|---|---|");
  for (size_t i = 0; i < known_option_count(); ++i) {
    const Option& option = known_options()[i];
    std::printf("| `%s` | %s | %s |\n", std::string(option.key).c_str(), code(option.variable).c_str(), cell(option.help).c_str());
  }
  return 0;
}

}  // namespace kache
