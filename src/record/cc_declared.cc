#include "record/cc_declared.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "base/path.h"
#include "base/path_resolver.h"
#include "compiler/cc_flags.h"
#include "compiler/cc_languages.h"
#include "compiler/cc_response.h"

namespace kache {
namespace {

// Switches that read no file and write none: these, and what begins with one of the second list.
constexpr std::string_view kHarmless[] = {
    "-ansi", "-pedantic", "-pedantic-errors", "-w", "-pipe", "-pthread", "-nostdinc", "-nostdinc++", "-undef", "-trigraphs", "-shared",
    "-static", "-rdynamic", "-s", "-p", "-pg", "-MP", "-MG", "-nostdlib", "-ffreestanding", "-fhosted",
};
constexpr std::string_view kHarmlessStarts[] = {
    "-O", "-W", "-std=", "--std=", "-m32", "-m64", "-mtune=", "-march=", "-mcpu=", "-mfpu=", "-mfloat-abi=", "-mabi=", "-mno-", "-msse", "-mavx",
    "-fPIC", "-fpic", "-fPIE", "-fpie", "-fno-", "-fvisibility", "-ffunction-sections", "-fdata-sections", "-fstack-protector",
    "-fstack-clash-protection", "-fcf-protection", "-fexceptions", "-frtti", "-fomit-frame-pointer", "-fstrict-", "-fwrapv", "-fsigned-char",
    "-funsigned-char", "-fshort-", "-fcommon", "-finline", "-funroll-", "-ftree-", "-fdiagnostics-color", "-fcolor-diagnostics", "-fmessage-length=",
    "-fasynchronous-unwind-tables", "-funwind-tables", "-fms-extensions", "-ffast-math", "-fmath-errno", "-fpermissive", "-fgnu", "-fsemantic-",
};

// What a compile asks of its environment after the preprocessor.
constexpr std::string_view kVariables[] = {"COMPILER_PATH",     "GCC_EXEC_PREFIX", "GCC_COMPARE_DEBUG", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES",
                                           "CCC_OVERRIDE_OPTIONS"};

bool is_harmless(std::string_view flag, const Config& config) {
  const std::vector<std::string>& allowed = config.cc_extra_allowlist_flags;
  if (std::find(allowed.begin(), allowed.end(), flag) != allowed.end()) return true;
  if (std::find(std::begin(kHarmless), std::end(kHarmless), flag) != std::end(kHarmless)) return true;
  return std::any_of(std::begin(kHarmlessStarts), std::end(kHarmlessStarts), [&](std::string_view start) { return flag.starts_with(start); });
}

std::vector<std::string> all_args(FileSystem& fs, const CommandLine& line, const Invocation& invocation) {
  Result<QuotedArgs> expanded = expand_quoted_files(fs, invocation.args, line.cwd, Quoting::gnu);
  return expanded.ok() ? std::move(expanded->args) : invocation.args;
}

// The flags of the table that the preprocessor takes as well, or that only move outputs.
bool is_understood(const CcFlagRow& row) {
  switch (row.flag) {
    case CcFlag::keyed:
    case CcFlag::path: return row.name != "-B" && row.name != "-T" && row.name != "-include-pch" && row.name != "-dumpdir";
    case CcFlag::compile:
    case CcFlag::depends:
    case CcFlag::depend_file:
    case CcFlag::depend_target:
    case CcFlag::depend_quoted:
    case CcFlag::output:
    case CcFlag::language:
    case CcFlag::prefix_map:
    case CcFlag::directory_map:
    case CcFlag::debug:
    case CcFlag::debug_off:
    case CcFlag::records_words:
    case CcFlag::color: return true;
    default: return false;
  }
}

bool only_names_outputs(CcFlag flag) {
  return flag == CcFlag::compile || flag == CcFlag::depends || flag == CcFlag::depend_file || flag == CcFlag::depend_target ||
         flag == CcFlag::depend_quoted || flag == CcFlag::output;
}

// The file of `# 12 "name" 1 3`, unescaped; empty for every other line, and for "<built-in>".
std::string marked_file(std::string_view line) {
  if (!line.starts_with("# ")) return {};
  size_t quote = line.find('"');
  if (quote == std::string_view::npos || line.substr(2, quote - 2).find_first_not_of("0123456789 ") != std::string_view::npos) return {};
  std::string name;
  for (size_t i = quote + 1; i < line.size() && line[i] != '"'; ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) ++i;
    name += line[i];
  }
  return name.starts_with('<') || name.ends_with('/') ? std::string() : name;
}

}  // namespace

Refused check_cc_declared(FileSystem& fs, const CommandLine& line, const Invocation& invocation, const Config& config) {
  constexpr std::string_view kWhy = "this compiler can not be recorded, and ";
  auto refused = [&](std::string_view what) { return Refused{Refusal::record_incomplete, std::string(kWhy) + std::string(what)}; };
  bool makes_object = invocation.purpose == Purpose::compile && !invocation.named_outputs.empty() && invocation.named_outputs.front().role == "object";
  if (!makes_object) return refused("this is no compile to an object");
  if (is_cc_preprocessed(invocation.cc.language) || invocation.cc.language.starts_with("assembler")) return refused("the source is not preprocessed");
  std::vector<std::string> args = all_args(fs, line, invocation);
  CcWords words = split_cc_words(args);
  for (const CcWord& word : words.words) {
    bool good = word.kind == CcWord::input || (word.kind == CcWord::flag ? is_understood(*word.row) : is_harmless(word.text, config));
    if (!good) return refused("it is not known what this flag reads: " + std::string(word.text));
  }
  return {};
}

namespace {

// The command line without what it makes.
std::vector<std::string> without_outputs(FileSystem& fs, const CommandLine& line, const Invocation& invocation, const char* question) {
  std::vector<std::string> args = all_args(fs, line, invocation);
  std::vector<std::string> command{invocation.program, question};
  for (const CcWord& word : split_cc_words(args).words) {
    if (word.kind == CcWord::flag && only_names_outputs(word.row->flag)) continue;
    if (word.text == "-MP" || word.text == "-MG") continue;
    for (size_t i = 0; i < word.count; ++i) command.push_back(args[word.first + i]);
  }
  return command;
}

}  // namespace

std::vector<std::string> preprocess_command(FileSystem& fs, const CommandLine& line, const Invocation& invocation) {
  return without_outputs(fs, line, invocation, "-E");
}

std::vector<std::string> programs_question(FileSystem& fs, const CommandLine& line, const Invocation& invocation) {
  std::vector<std::string> command = without_outputs(fs, line, invocation, "-###");
  // One that does not know the question and compiles leaves no trace.
  for (const char* word : {"-c", "-o", "/dev/null"}) command.push_back(word);
  return command;
}

std::vector<std::string> named_programs(std::string_view answer) {
  constexpr std::string_view kFiles[] = {"COLLECT_GCC=", "Reading specs from "};
  std::vector<std::string> names;
  bool starts_any = false;
  while (!answer.empty()) {
    std::string_view line = answer.substr(0, answer.find('\n'));
    answer.remove_prefix(std::min(answer.size(), line.size() + 1));
    for (std::string_view head : kFiles) {
      if (line.starts_with(head)) names.emplace_back(line.substr(head.size()));
    }
    // " /usr/lib/gcc/…/cc1 -quiet …", " "/usr/bin/clang" "-cc1" …"; clang's " (in-process)" is a remark.
    if (line.size() < 2 || line[0] != ' ' || line[1] == ' ' || line[1] == '(') continue;
    std::vector<std::string> words = split_quoted(line, Quoting::gnu);
    if (words.empty()) continue;
    names.push_back(words[0]);
    starts_any = true;
  }
  return starts_any ? names : std::vector<std::string>();
}

Refused check_preprocessed(std::string_view text) {
  for (std::string_view word : {"incbin", "pch_preprocess", "#pragma GCC pch"}) {
    if (text.find(word) != std::string_view::npos) return {Refusal::record_incomplete, "the source names a file that the preprocessor does not read"};
  }
  return {};
}

Observed declare_cc_inputs(FileSystem& fs, const CommandLine& line, const Invocation& invocation, std::string_view preprocessed, int64_t started_ns) {
  Observed observed;
  std::set<std::string> seen;
  while (!preprocessed.empty()) {
    std::string_view text = preprocessed.substr(0, preprocessed.find('\n'));
    preprocessed.remove_prefix(std::min(preprocessed.size(), text.size() + 1));
    std::string name = marked_file(text);
    if (name.empty()) continue;
    std::string path = absolute_path(line.cwd, name);
    if (!seen.insert(path).second) continue;
    Result<FileStat> stat = fs.stat(path);
    if (stat.ok() && stat->is_regular()) observed.files.push_back({path, *stat, started_ns});
    else if (!observed.refused) observed.refused = {Refusal::input_unreadable, path};
  }
  for (std::string_view variable : kVariables) observed.variables.emplace_back(variable);
  std::sort(observed.variables.begin(), observed.variables.end());
  PathResolver resolver(fs);
  for (const NamedOutput& output : invocation.named_outputs) {
    std::string path = resolver.place(absolute_path(line.cwd, output.path));
    if (fs.lstat(path).ok()) observed.written.push_back({path, false});
  }
  return observed;
}

}  // namespace kache
