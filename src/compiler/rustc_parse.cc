#include <algorithm>

#include "base/path.h"
#include "compiler/compilers.h"
#include "compiler/line_parser.h"
#include "compiler/response_file.h"
#include "compiler/rustc_flags.h"

namespace kache {
namespace {

// "name[=value]"
struct Setting {
  std::string_view name, value;
  bool has_value = false;

  explicit Setting(std::string_view text) : name(text.substr(0, text.find('='))) {
    has_value = name.size() < text.size();
    if (has_value) value = text.substr(name.size() + 1);
  }
};

template <typename Each>
void split(std::string_view list, char separator, Each each) {
  for (;;) {
    size_t end = list.find(separator);
    each(list.substr(0, end));
    if (end == std::string_view::npos) return;
    list.remove_prefix(end + 1);
  }
}

// --print kinds that say something more while the crate is compiled all the same.
bool prints_beside(std::string_view kind) { return kind == "native-static-libs" || kind == "link-args"; }

class Parser : private LineParser {
 public:
  Parser(FileSystem& fs, const CommandLine& line) : LineParser(fs, line) {}

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

  void take_args() {
    const std::vector<std::string>& args = inv().args;
    if (args.empty()) return refuse(Refusal::help_or_explain, "no arguments");
    // A rustup proxy takes this for the name of another toolchain than the one that kache would identify.
    if (args.front().starts_with('+')) refuse(Refusal::unknown_driver, args.front());
    Words words = split_words(args);
    for (const Word& word : words.words) {
      switch (word.kind) {
        case Word::source: take_source(word.text); break;
        case Word::unknown: key(std::string(word.text)); break;
        case Word::flag: take_flag(*word.row, word.text); break;
      }
    }
    if (!words.lacks_value.empty()) refuse(Refusal::not_a_compile, std::string(words.lacks_value) + " without a value");
  }

  void take_source(std::string_view arg) {
    ++sources_;
    inv().source = arg;
    key("source ", std::string(arg));
  }

  // One spelling for all: "-C opt-level=3", "--cfg=unix", "-g". rustc can not tell them apart either.
  static std::string canonical(const FlagRow& row, std::string_view value) {
    std::string text;
    if (row.letter) text = std::string{'-', row.letter};
    else text = "--" + std::string(row.name);
    if (row.takes_value) text += row.letter ? ' ' : '=';
    return text += value;
  }

  void take_flag(const FlagRow& row, std::string_view value) {
    std::string v(value);
    switch (row.flag) {
      case RustcFlag::keyed: break;
      case RustcFlag::lint:
        if (value == "help" || (row.letter == 'W' && value == "all")) help(row, value);
        break;
      case RustcFlag::crate_name: inv().crate_name = v; break;
      case RustcFlag::crate_type:
        split(value, ',', [&](std::string_view type) { inv().crate_types.emplace_back(type); });
        break;
      case RustcFlag::emit: return take_emits(row, value);
      case RustcFlag::print: take_print(value); break;
      case RustcFlag::out_dir:
        inv().out_dir = v;
        return key("--out-dir");
      case RustcFlag::output:
        inv().output_file = v;
        return key(canonical(row, base_name(value)));
      case RustcFlag::target:
        inv().target = v;
        if (value.ends_with(".json")) return key(canonical(row, {}), v);
        break;
      case RustcFlag::library_dir: return take_library_dir(row, value);
      case RustcFlag::external: return take_extern(row, value);
      case RustcFlag::sysroot:
        inv().sysroot = v;
        return key(canonical(row, {}), v);
      case RustcFlag::remap: return take_remap(row, value);
      case RustcFlag::codegen: return take_codegen(row, value);
      case RustcFlag::unstable: return take_unstable(row, value);
      case RustcFlag::error_format:
        inv().json_errors = value == "json";
        inv().color_given = true;
        break;
      case RustcFlag::color: inv().color_given = true; break;
      case RustcFlag::width:
        inv().diagnostic_width = v;
        return;
      case RustcFlag::test: inv().is_test = true; break;
      case RustcFlag::help:
      case RustcFlag::explain: help(row, value); break;
      case RustcFlag::pretty: refuse(Refusal::prints_to_stdout, canonical(row, value)); break;
      case RustcFlag::version: asks_ = asks_version_ = true; break;
    }
    key(canonical(row, value));
  }

  void help(const FlagRow& row, std::string_view value) { refuse(Refusal::help_or_explain, canonical(row, value)); }

  // The last of several with one kind counts.
  void take_emits(const FlagRow& row, std::string_view value) {
    std::string text;
    split(value, ',', [&](std::string_view item) {
      Setting setting(item);
      Emit emit{std::string(setting.name), std::string(setting.value)};
      if (!text.empty()) text += ',';
      text += emit.kind;
      if (setting.has_value) text += "=" + std::string(base_name(emit.path));
      std::vector<Emit>& emits = inv().emits;
      auto same = std::find_if(emits.begin(), emits.end(), [&](const Emit& other) { return other.kind == emit.kind; });
      if (same == emits.end()) emits.push_back(std::move(emit));
      else same->path = std::move(emit.path);
    });
    key(canonical(row, text));
  }

  void take_print(std::string_view value) {
    Setting print(value);
    if (print.has_value && print.value != "-") print_file_ = value;
    if (!prints_beside(print.name)) asks_ = true;
    if (print.name == "link-args") names_output_dir_ = true;
  }

  void take_library_dir(const FlagRow& row, std::string_view value) {
    SearchDir dir{"all", std::string(value)};
    std::string prefix;
    for (std::string_view kind : {"dependency", "crate", "native", "framework", "all"}) {
      Setting setting(value);
      if (!setting.has_value || setting.name != kind) continue;
      dir = {std::string(kind), std::string(setting.value)};
      prefix = dir.kind + "=";
    }
    // Crates are found there by their hash, and what is opened is recorded.
    if (dir.kind == "dependency") key("-L dependency");
    else key(canonical(row, prefix), dir.path);
    inv().search_dirs.push_back(std::move(dir));
  }

  // "[option,…:]name[=path]"
  void take_extern(const FlagRow& row, std::string_view value) {
    Setting setting(value);
    size_t colon = setting.name.find(':');
    // a::b is a name where -Z namespaced-crates allows it, and an error elsewhere.
    if (colon != std::string_view::npos && setting.name.substr(colon).starts_with("::")) colon = std::string_view::npos;
    Extern item;
    if (colon != std::string_view::npos) item.options = setting.name.substr(0, colon);
    item.name = colon == std::string_view::npos ? setting.name : setting.name.substr(colon + 1);
    item.path = setting.value;
    key(canonical(row, setting.name) + (setting.has_value ? "=" : ""), item.path);
    inv().externs.push_back(std::move(item));
  }

  // "FROM=TO", where FROM may hold '='.
  void take_remap(const FlagRow& row, std::string_view value) {
    size_t equals = value.rfind('=');
    if (equals == std::string_view::npos) return key(canonical(row, value));
    key(canonical(row, {}), std::string(value.substr(0, equals)));
    key(std::string(value.substr(equals)));
  }

  void take_codegen(const FlagRow& row, std::string_view value) {
    Setting setting(value);
    std::string name = canonical_option(setting.name);
    std::string text = canonical(row, name) + (setting.has_value ? "=" : "");
    std::string argument(setting.value);
    // The CPU of this machine, chosen by a compiler or plugin behind the linker: -Clink-arg=-march=native.
    names_native_ = names_native_ || argument.ends_with("=native");
    switch (find_codegen(name)) {
      case Codegen::keyed: break;
      case Codegen::help: help(row, value); break;
      case Codegen::passes:
        if (argument == "list") help(row, value);
        break;
      case Codegen::extra_filename: inv().extra_filename = argument; break;
      case Codegen::incremental:
        inv().incremental_dir = argument;
        return;
      case Codegen::instrument_coverage: inv().coverage = !is_off(argument) && argument != "0"; break;
      case Codegen::link_arg: return key_linker_argument(text, argument);
      case Codegen::link_args: return take_link_args(text, argument);
      case Codegen::path:
        if (argument.find('/') != std::string::npos) return key(text, argument);
        break;
      case Codegen::rpath: inv().rpath = !is_off(argument); break;
      case Codegen::save_temps: inv().temps_kept = !is_off(argument); break;
      case Codegen::split_debuginfo: splits_debuginfo_ = argument != "off"; break;
      case Codegen::target_cpu: target_native_ = argument == "native"; break;
    }
    key(text + argument);
  }

  void key_linker_argument(const std::string& text, const std::string& argument) {
    if (is_absolute(argument)) return key(text, argument);
    if (argument.starts_with("-L/")) return key(text + "-L", argument.substr(2));
    key(text + argument);
  }

  // "-C link-args='a b'" is to rustc what two of it with one argument each are.
  void take_link_args(const std::string& text, std::string_view list) {
    bool any = false;
    split(list, ' ', [&](std::string_view argument) {
      if (argument.empty()) return;
      key_linker_argument(text, std::string(argument));
      any = true;
    });
    if (!any) key(text);
  }

  void take_unstable(const FlagRow& row, std::string_view value) {
    Setting setting(value);
    std::string name = canonical_option(setting.name);
    const UnstableRow& option = find_unstable(name);
    bool is_on = !setting.has_value || !is_off(setting.value);
    switch (option.option) {
      case Unstable::keyed: break;
      case Unstable::help: help(row, value); break;
      case Unstable::tune_cpu: tune_native_ = setting.value == "native"; break;
      case Unstable::names_output_dir: names_output_dir_ = names_output_dir_ || is_on; break;
      case Unstable::refused_unless_off:
        if (!is_on) break;
        [[fallthrough]];
      case Unstable::refused: unstable_ = {option.refusal, canonical(row, value)}; break;
    }
    key(canonical(row, name) + std::string(value.substr(setting.name.size())));
  }

  // In the order in which rustc decides: what it answers before it looks at the source comes first.
  void conclude() {
    Invocation& invocation = inv();
    invocation.native_cpu = target_native_ || tune_native_ || names_native_;
    if (asks_) {
      invocation.purpose = Purpose::probe;
      invocation.emits.clear();
      if (asks_version_) return;
    }
    if (!print_file_.empty()) refuse(Refusal::unknown_write, "--print " + print_file_);
    if (sources_ > 1) refuse(Refusal::not_a_compile, "more than one source");
    if (asks_) return;
    if (invocation.source.empty()) return refuse(Refusal::not_a_compile, "no source");
    if (invocation.source == "-") return refuse(Refusal::source_from_stdin, {});
    if (unstable_) refuse(unstable_.refusal, unstable_.detail);
    if (invocation.emits.empty()) invocation.emits.push_back({"link", ""});
    if (invocation.crate_name.empty()) {
      invocation.crate_name = base_name(without_extension(invocation.source));
      std::replace(invocation.crate_name.begin(), invocation.crate_name.end(), '-', '_');
    }
    name_outputs();
    check_output(invocation.output_file);
    for (const Emit& emit : invocation.emits) check_output(emit.path);
    if (!invocation.out_dir.empty()) check_output(invocation.out_dir + "/");
    if (invocation.rpath || names_output_dir_ || splits_debuginfo_) key_output_places();
  }

  // -o, then every --emit kind=path in order.
  void name_outputs() {
    Invocation& invocation = inv();
    if (!invocation.output_file.empty()) invocation.named_outputs.push_back({"", invocation.output_file});
    for (const Emit& emit : invocation.emits) {
      if (!emit.path.empty()) invocation.named_outputs.push_back({emit.kind, emit.path});
    }
  }

  void check_output(const std::string& path) {
    if (path == "-") refuse(Refusal::output_to_stdout, {});
    if (!path.empty() && is_device(absolute_path(line_.cwd, path))) refuse(Refusal::output_not_private_file, path);
  }

  // Where it stands is in the output: an rpath, the name of a .dwo file, the printed linker command.
  void key_output_places() {
    const Invocation& invocation = inv();
    key("output directory ", absolute_path(line_.cwd, invocation.output_dir()));
    for (const Emit& emit : invocation.emits) {
      if (!emit.path.empty()) key("output ", absolute_path(line_.cwd, emit.path));
    }
    if (!invocation.rpath) return;
    for (const SearchDir& dir : invocation.search_dirs) {
      if (dir.kind == "dependency") key("-L dependency=", absolute_path(line_.cwd, dir.path));
    }
  }

  size_t sources_ = 0;
  std::string print_file_;  // --print X=file
  Refused unstable_;        // by a -Z option
  bool asks_ = false;       // --print, --version
  bool asks_version_ = false;
  bool names_output_dir_ = false;
  bool splits_debuginfo_ = false;
  bool target_native_ = false, tune_native_ = false, names_native_ = false;
};

}  // namespace

ParsedInvocation parse_rustc(FileSystem& fs, const CommandLine& line, Recognised::Kind kind) {
  ParsedInvocation none;
  if (line.argv.empty()) none.refused = {Refusal::not_a_compile, "no compiler"};
  else if (kind != Recognised::rustc) none.refused = {Refusal::unknown_driver, line.argv.front()};
  return none.refused ? none : Parser(fs, line).run();
}

}  // namespace kache
