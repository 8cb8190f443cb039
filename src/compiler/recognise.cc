#include <algorithm>
#include <iterator>

#include "base/path.h"
#include "compiler/cc_languages.h"
#include "compiler/cc_names.h"
#include "compiler/compilers.h"

namespace kache {
namespace {

// The commands of kache-tool, of this version and of the program it can stand in for: none of them is ever taken for a
// workspace wrapper, even where PATH has a program of that name (there is an /sbin/init).
constexpr std::string_view kToolCommands[] = {
    "cargo", "clean",   "completions", "config", "daemon", "doctor",        "gc",    "help", "init",
    "list",  "monitor", "purge",       "report", "stats",  "save-manifest", "sync", "install-shims", "why-miss",
    "explain", "diff", "keys",
};

// A name and nothing but a version or a variant behind it: rustc-1.95, rustc_nightly, rustc1.85, rustc.exe.
bool is_name_or_variant(std::string_view name, std::string_view base) {
  if (!name.starts_with(base)) return false;
  if (name.size() == base.size()) return true;
  char next = name[base.size()];
  return next == '-' || next == '_' || next == '.' || (next >= '0' && next <= '9');
}

bool is_on_path(FileSystem& fs, std::string_view name, const Env& env) {
  std::string_view rest = env.get_or_empty("PATH");
  while (!rest.empty()) {
    size_t colon = rest.find(':');
    std::string_view dir = rest.substr(0, colon);
    if (!dir.empty()) {
      Result<FileStat> stat = fs.stat(join_path(dir, name));
      if (stat.ok() && stat->is_regular() && stat->is_executable()) return true;
    }
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
  }
  return false;
}

bool equals_variable(const Env& env, std::string_view variable, std::string_view text) {
  const char* value = env.get(variable);
  return value && *value && value == text;
}

// `first` may be a workspace wrapper: it was named as a path or by cargo, or it is a program and no command of ours.
bool is_wrapper(FileSystem& fs, std::string_view first, const Env& env) {
  if (first.find('/') != std::string_view::npos || equals_variable(env, "RUSTC_WORKSPACE_WRAPPER", first)) return true;
  return !is_tool_command(first) && is_on_path(fs, first, env);
}

bool is_program(FileSystem& fs, const std::string& path) {
  Result<FileStat> stat = fs.stat(path);
  return stat.ok() && stat->is_regular() && stat->is_executable();
}

// A program with a name that says nothing is taken for a compiler by what it is asked: to make something of a source. It is
// never started to find out. When it is none after all, it runs as asked, and the recorder says whether that can be stored.
bool looks_like_compile(const std::vector<std::string>& args) {
  bool makes = false, has_source = false;
  for (size_t i = 1; i < args.size(); ++i) {
    makes |= args[i] == "-c" || args[i] == "-S" || args[i] == "-o";
    has_source |= !args[i].starts_with('-') && !cc_language_of(args[i]).empty();
  }
  return makes && has_source;
}

// What configure scripts ask of whatever CC names.
bool looks_like_question(const std::vector<std::string>& args) {
  static constexpr std::string_view kQuestions[] = {"--version", "-v", "-V", "-qversion", "-version", "-dumpmachine", "-dumpversion"};
  return args.size() == 2 && std::find(std::begin(kQuestions), std::end(kQuestions), args[1]) != std::end(kQuestions);
}

Recognised recognise_cc(FileSystem& fs, const std::vector<std::string>& args, const Env& env) {
  const std::string& first = args[0];
  switch (cc_name(first).tool) {
    case CcTool::archiver:
    case CcTool::ranlib: return {Recognised::archiver};
    case CcTool::none: break;
    default: return {Recognised::cc};
  }
  if (is_tool_command(first)) return {Recognised::tool};
  bool is_path = first.find('/') != std::string::npos;
  if (is_path ? !is_program(fs, first) : !is_on_path(fs, first, env)) return {Recognised::tool};
  if (looks_like_compile(args)) return {Recognised::cc};
  // A bare name may be a slip of the keyboard; a path is meant.
  return {is_path || looks_like_question(args) ? Recognised::stranger : Recognised::tool};
}

}  // namespace

// rustc_ast.rs is a source.
bool is_rustc_name(std::string_view path) { return is_name_or_variant(base_name(path), "rustc") && !path.ends_with(".rs"); }
bool is_clippy_driver(std::string_view path) { return is_name_or_variant(base_name(path), "clippy-driver"); }

bool is_tool_command(std::string_view word) {
  return std::find(std::begin(kToolCommands), std::end(kToolCommands), word) != std::end(kToolCommands);
}

Recognised recognise(FileSystem& fs, const std::vector<std::string>& args, const Env& env) {
  if (args.size() > 1 && args[0] == "-E") return {Recognised::cc_probe};
  if (args.empty() || args[0].empty() || args[0][0] == '-') return {Recognised::tool};
  const std::string& first = args[0];
  if (is_clippy_driver(first)) return {Recognised::rustc};
  bool before_rustc = args.size() > 1 && (is_rustc_name(args[1]) || equals_variable(env, "RUSTC", args[1]));
  // A wrapper may be called rustc-wrapper: what is followed by a rustc is none itself.
  if (is_rustc_name(first)) return {before_rustc ? Recognised::chain : Recognised::rustc};
  if (equals_variable(env, "RUSTC", first)) return {Recognised::driver};
  if (before_rustc && is_wrapper(fs, first, env)) return {Recognised::chain};
  return recognise_cc(fs, args, env);
}

ParsedInvocation parse_invocation(FileSystem& fs, const CommandLine& line, Recognised::Kind kind) {
  switch (kind) {
    case Recognised::cc: return parse_cc(fs, line);
    case Recognised::archiver: return parse_ar(fs, line);
    default: return parse_rustc(fs, line, kind);
  }
}

}  // namespace kache
