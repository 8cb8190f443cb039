#include <algorithm>

#include "base/path.h"
#include "compiler/compilers.h"
#include "compiler/response_file.h"
#include "compiler/rustc_flags.h"

namespace kache {
namespace {

std::string dashed(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

template <typename Each>
void split(std::string_view list, char separator, Each each) {
  for (;;) {
    size_t end = list.find(separator);
    each(list.substr(0, end));
    if (end == std::string_view::npos) return;
    list.remove_prefix(end + 1);
  }
}

bool is_off(std::string_view value) {
  return value == "off" || value == "no" || value == "n" || value == "false" || value == "0";
}

// --print kinds that say something more while the crate is compiled all the same.
bool prints_beside(std::string_view kind) { return kind == "native-static-libs" || kind == "link-args"; }

bool writes_profile(std::string_view option) {
  for (std::string_view name : {"self-profile", "time-passes", "time-trace", "llvm-time-trace", "dump-mir",
                                "dump-dep-graph", "dump-mono-stats", "metrics-dir", "print-type-sizes", "time-llvm-passes",
                                "dump-drop-tracking-cfg", "dump-solver-proof-tree", "input-stats", "print-mono-items"}) {
    if (option == name) return true;
  }
  return false;
}

class Parser {
 public:
  Parser(FileSystem& fs, const CommandLine& line) : fs_(fs), line_(line) {}

  ParsedInvocation run() {
    take_programs();
    Result<Expanded> expanded = expand_response_files(fs_, args_, line_.cwd);
    if (!expanded.ok()) {
      refuse(Refusal::response_file, expanded.error().message);
      return std::move(out_);
    }
    inv().args = std::move(expanded->args);
    inv().expanded_response_file = expanded->any;
    take_args();
    conclude();
    return std::move(out_);
  }

 private:
  Invocation& inv() { return out_.invocation; }

  void refuse(Refusal refusal, std::string_view detail) {
    if (!out_.refused) out_.refused = {refusal, std::string(detail)};
  }

  void key(std::string text, std::string path = "") { inv().key_args.push_back({std::move(text), std::move(path)}); }

  // clippy-driver is started as `clippy-driver <rustc> args…` by cargo.
  void take_programs() {
    args_ = line_.argv;
    inv().program = args_.front();
    args_.erase(args_.begin());
    if (!args_.empty() && is_clippy_driver(inv().program) && is_rustc_name(args_.front())) {
      inv().inner = args_.front();
      args_.erase(args_.begin());
    }
  }

  // Splits "-x value", "-xvalue", "--name value" and "--name=value" the way getopts does.
  void take_args() {
    const std::vector<std::string>& args = inv().args;
    for (size_t i = 0; i < args.size(); ++i) {
      std::string_view arg = args[i];
      if (arg == "-" || arg.empty() || arg[0] != '-') {
        take_source(arg);
        continue;
      }
      bool is_long = arg.starts_with("--");
      size_t equals = is_long ? arg.find('=') : std::string_view::npos;
      std::string_view name = is_long ? arg.substr(0, equals) : arg.substr(0, 2);
      const FlagRow* row = find_flag(name);
      if (!row) {
        key(std::string(arg));
        continue;
      }
      std::string_view value;
      bool has_value = true;
      if (equals != std::string_view::npos) value = arg.substr(equals + 1);
      else if (!is_long && arg.size() > 2) value = arg.substr(2);
      else if (row->takes_value && i + 1 < args.size()) value = args[++i];
      else has_value = false;
      if (!row->takes_value && has_value) {
        // "-vV", "-gO": switches in one word. Anything else is rustc's to complain about.
        for (char c : arg.substr(1)) take_flag(find_flag(std::string{'-', c}), std::string{'-', c}, "", arg);
        continue;
      }
      if (row->takes_value && !has_value) {
        refuse(Refusal::not_a_compile, arg);  // rustc will say that the value is missing
        return;
      }
      take_flag(row, name, value, arg);
    }
  }

  void take_source(std::string_view arg) {
    if (!inv().source.empty()) refuse(Refusal::not_a_compile, "two sources");
    inv().source = arg;
    if (is_absolute(arg)) key("source ", std::string(arg));
    else key("source " + std::string(arg));
  }

  void take_flag(const FlagRow* row, std::string_view name, std::string_view value, std::string_view arg) {
    std::string text = std::string(name) + " ";
    std::string v(value);
    switch (row ? row->flag : Flag::unknown) {
      case Flag::unknown: return key(std::string(arg));
      case Flag::keyed:
      case Flag::cfg:
        if (value == "help") return refuse(Refusal::help_or_explain, arg);
        return key(text + v);
      case Flag::switch_only: return key(text);
      case Flag::verbose:
        is_verbose_ = true;
        return key(text);
      case Flag::test:
        inv().is_test = true;
        return key(text);
      case Flag::crate_name:
        inv().crate_name = v;
        return key(text + v);
      case Flag::crate_type:
        split(value, ',', [&](std::string_view type) { inv().crate_types.emplace_back(type); });
        return key(text + v);
      case Flag::emit: return take_emit(text, value);
      case Flag::print: return take_print(text, value);
      case Flag::out_dir:
        inv().out_dir = v;
        return key(text);
      case Flag::output:
        inv().output_file = v;
        return key(text + std::string(base_name(value)));
      case Flag::target:
        inv().target = v;
        return is_absolute(value) ? key(text, v) : key(text + v);
      case Flag::library_dir: return take_library_dir(text, value);
      case Flag::library: return key(text + v);
      case Flag::external: return take_extern(text, value);
      case Flag::sysroot:
        inv().sysroot = v;
        return key(text, v);
      case Flag::remap: return take_remap(text, value);
      case Flag::codegen: return take_codegen(text, value);
      case Flag::unstable: return take_unstable(text, value);
      case Flag::error_format:
        inv().json_errors = value == "json";
        inv().color_given = true;
        return key(text + v);
      case Flag::json: return key(text + v);
      case Flag::color:
        inv().color_given = true;
        return key(text + v);
      case Flag::width:
        inv().diagnostic_width = v;
        return;
      case Flag::help:
      case Flag::explain: return refuse(Refusal::help_or_explain, arg);
      case Flag::pretty: return refuse(Refusal::prints_to_stdout, arg);
      case Flag::version:
        asks_ = true;
        return key(text);
    }
  }

  void take_emit(const std::string& text, std::string_view value) {
    std::string kept = text;
    split(value, ',', [&](std::string_view item) {
      size_t equals = item.find('=');
      Emit emit;
      emit.kind = item.substr(0, equals);
      if (equals != std::string_view::npos) emit.path = item.substr(equals + 1);
      kept += emit.kind;
      if (!emit.path.empty()) kept += "=" + std::string(base_name(emit.path));
      kept += ",";
      inv().emits.push_back(std::move(emit));
    });
    key(kept);
  }

  void take_print(const std::string& text, std::string_view value) {
    if (value.find('=') != std::string_view::npos) refuse(Refusal::output_not_private_file, value);
    if (value == "help") refuse(Refusal::help_or_explain, value);
    if (!prints_beside(value)) asks_ = true;
    key(text + std::string(value));
  }

  void take_library_dir(const std::string& text, std::string_view value) {
    SearchDir dir{"all", std::string(value)};
    for (std::string_view kind : {"dependency", "crate", "native", "framework", "all"}) {
      if (value.size() > kind.size() && value.starts_with(kind) && value[kind.size()] == '=') {
        dir = {std::string(kind), std::string(value.substr(kind.size() + 1))};
      }
    }
    // What is found by exact hash in dependency directories is recorded when it is opened.
    if (dir.kind == "dependency") key(text + "dependency");
    else key(text + dir.kind + "=", dir.path);
    inv().search_dirs.push_back(std::move(dir));
  }

  void take_extern(const std::string& text, std::string_view value) {
    Extern item;
    size_t equals = value.find('=');
    std::string_view head = value.substr(0, equals);
    if (equals != std::string_view::npos) item.path = value.substr(equals + 1);
    size_t colon = head.rfind(':');
    if (colon != std::string_view::npos) item.options = head.substr(0, colon);
    item.name = colon == std::string_view::npos ? head : head.substr(colon + 1);
    key(text + std::string(head) + "=", item.path);
    inv().externs.push_back(std::move(item));
  }

  void take_remap(const std::string& text, std::string_view value) {
    size_t equals = value.rfind('=');
    if (equals == std::string_view::npos) return key(text + std::string(value));
    key(text, std::string(value.substr(0, equals)));
    key("=" + std::string(value.substr(equals + 1)));
  }

  void take_codegen(const std::string& text, std::string_view value) {
    if (value == "help") return refuse(Refusal::help_or_explain, "-C help");
    size_t equals = value.find('=');
    std::string name = dashed(value.substr(0, equals));
    std::string argument(equals == std::string_view::npos ? "" : value.substr(equals + 1));
    if (name == "incremental") {
      inv().incremental_dir = argument;
      return;
    }
    if (name == "extra-filename") inv().extra_filename = argument;
    if (name == "target-cpu" && argument == "native") inv().native_cpu = true;
    if (name == "instrument-coverage") inv().coverage = !is_off(argument);
    if (name == "save-temps") inv().temps_kept = !is_off(argument);
    if (name == "rpath" && !is_off(argument)) inv().rpath = true;
    bool names_file = name == "linker" || name == "profile-use" || name == "link-arg" || name == "profile-generate";
    std::string option = text + name + (equals == std::string_view::npos ? "" : "=");
    if (names_file && is_absolute(argument)) return key(option, argument);
    if (name == "link-arg" && argument.starts_with("-L/")) return key(option + "-L", argument.substr(2));
    key(option + argument);
  }

  void take_unstable(const std::string& text, std::string_view value) {
    if (value == "help") return refuse(Refusal::help_or_explain, "-Z help");
    size_t equals = value.find('=');
    std::string name = dashed(value.substr(0, equals));
    if (name == "unpretty") refuse(Refusal::prints_to_stdout, value);
    if (writes_profile(name)) refuse(Refusal::time_traces, value);
    if (name == "tune-cpu" && value.ends_with("=native")) inv().native_cpu = true;
    key(text + std::string(value));
  }

  void conclude() {
    Invocation& invocation = inv();
    if (asks_) {
      invocation.purpose = Purpose::probe;
      invocation.emits.clear();
      return;
    }
    if (invocation.source.empty()) return refuse(Refusal::not_a_compile, is_verbose_ ? "-v" : "no source");
    if (invocation.source == "-") return refuse(Refusal::source_from_stdin, {});
    if (invocation.emits.empty()) invocation.emits.push_back({"link", ""});
    if (invocation.crate_name.empty()) {
      std::string_view file = base_name(invocation.source);
      invocation.crate_name = file.substr(0, file.rfind('.'));
      std::replace(invocation.crate_name.begin(), invocation.crate_name.end(), '-', '_');
    }
    if (invocation.rpath) key("rpath ", absolute_path(line_.cwd, invocation.output_dir()));
    for (const Emit& emit : invocation.emits) check_output(emit.path);
    check_output(invocation.output_file);
  }

  void check_output(const std::string& path) {
    if (path == "-") refuse(Refusal::output_to_stdout, {});
    if (is_below(absolute_path(line_.cwd, path), "/dev")) refuse(Refusal::output_not_private_file, path);
  }

  FileSystem& fs_;
  const CommandLine& line_;
  std::vector<std::string> args_;
  ParsedInvocation out_;
  bool asks_ = false;        // --print, --version
  bool is_verbose_ = false;
};

}  // namespace

ParsedInvocation parse_rustc(FileSystem& fs, const CommandLine& line, Recognised::Kind) {
  return Parser(fs, line).run();
}

}  // namespace kache
