#include <algorithm>
#include <optional>

#include "base/path.h"
#include "compiler/cc_flags.h"
#include "compiler/cc_languages.h"
#include "compiler/cc_names.h"
#include "compiler/compilers.h"
#include "compiler/depfile.h"
#include "compiler/line_parser.h"

namespace kache {
namespace {

std::string_view stem_of(std::string_view path) { return base_name(without_extension(path)); }

// "obj/a.o" with ".d" is "obj/a.d": beside the object, whatever that is called.
std::string with_suffix(std::string_view path, std::string_view suffix) {
  return join_path(dir_name(path), std::string(stem_of(path)) + std::string(suffix));
}

// Names that build systems give to what they compile only to find out whether it compiles.
bool is_probe_path(std::string_view path) {
  for (std::string_view part : {"/CMakeFiles/CMakeScratch/", "/CMakeFiles/CMakeTmp/", "/CompilerIdC", "/meson-private/tmp"}) {
    if (path.find(part) != std::string_view::npos) return true;
  }
  std::string_view name = base_name(path);
  return name.starts_with("conftest.") || name.starts_with("flag_check.");
}

class Parser : private LineParser {
 public:
  Parser(FileSystem& fs, const CommandLine& line) : LineParser(fs, line) {}

  ParsedInvocation run() {
    if (speaks_cl()) return parse_cl(fs_, line_);
    take_line(Family::cc);
    CcName name = name_compiler();
    if (!take_response_files(Quoting::gnu)) return std::move(out_);
    is_cxx_ = name.is_cxx;
    take_words();
    conclude();
    return std::move(out_);
  }

 private:
  CcDetails& cc() { return inv().cc; }

  bool speaks_cl() const {
    const std::vector<std::string>& argv = line_.argv;
    return cc_name(argv.front()).tool == CcTool::clang_cl || std::find(argv.begin(), argv.end(), "--driver-mode=cl") != argv.end();
  }

  // "cc" may be a link to gcc or to clang.
  CcName name_compiler() {
    CcName name = cc_name(inv().program);
    CcTool tool = name.tool;
    std::string path = inv().program;
    for (int links = 0; (tool == CcTool::generic || tool == CcTool::none) && links < 16; ++links) {
      Result<std::string> target = fs_.read_link(path);
      if (!target.ok()) break;
      path = join_path(dir_name(path), *target);
      tool = cc_name(path).tool;
    }
    if (tool == CcTool::gcc) cc().kind = CcKind::gcc;
    if (tool == CcTool::clang) cc().kind = CcKind::clang;
    if (name.tool == CcTool::foreign) refuse(Refusal::unknown_driver, inv().program);
    return name;
  }

  // --- words -------------------------------------------------------------------------------------------------------

  void take_words() {
    CcWords words = split_cc_words(args_);
    inv().native_cpu = asks_for_native_cpu(args_);
    for (const CcWord& word : words.words) {
      switch (word.kind) {
        case CcWord::input: take_input(word); break;
        case CcWord::unknown: take_unknown(word.text); break;
        case CcWord::flag: take_flag(word); break;
      }
    }
    if (!words.lacks_value.empty()) refuse(Refusal::not_a_compile, std::string(words.lacks_value) + " without a value");
  }

  struct Source {
    std::string path;
    std::string language;
    size_t argument;  // its place in args_
  };

  void take_input(const CcWord& word) {
    if (word.text == "-") {
      reads_stdin_ = true;
      return key("-");
    }
    if (word.text.empty()) return refuse(Refusal::not_a_compile, "a file without a name");
    std::string language = language_.empty() ? std::string(cc_language_of(word.text)) : language_;
    if (language.empty()) {
      ++link_inputs_;
      return key("input ", word.text);
    }
    if (is_cxx_ && (language == "c" || language == "c-header" || language == "cpp-output")) {
      language = language == "c" ? "c++" : language == "c-header" ? "c++-header" : "c++-cpp-output";
    }
    sources_.push_back({std::string(word.text), language, word.first});
    key("source " + language + " ", word.text);
  }

  // What is in no table: a switch, or a name and a value in one word, which may be a path.
  void take_unknown(std::string_view text) {
    size_t equals = text.find('=');
    if (equals != std::string_view::npos && is_absolute(text.substr(equals + 1))) {
      return key(text.substr(0, equals + 1), text.substr(equals + 1));
    }
    key(text);
  }

  void take_flag(const CcWord& word) {
    const CcFlagRow& row = *word.row;
    std::string_view value = word.value;
    std::string name(row.name);
    switch (row.flag) {
      case CcFlag::keyed: break;
      case CcFlag::path: return key(name, value);
      case CcFlag::compile: wants_object_ = true; break;
      case CcFlag::assemble: wants_assembly_ = true; break;
      case CcFlag::preprocess: wants_text_ = true; break;
      case CcFlag::syntax_only: wants_nothing_ = true; break;
      case CcFlag::precompile: wants_module_ = true; break;
      case CcFlag::only_depends: refuse(Refusal::not_a_compile, row.name); break;
      case CcFlag::depends: depends_ = true; break;
      case CcFlag::depend_file:
        depfile_ = value;
        return key("-MF");
      case CcFlag::depend_target:
        targets_.push_back({std::string(value), false});
        return key("-MT");
      case CcFlag::depend_quoted:
        targets_.push_back({std::string(value), true});
        return key("-MQ");
      case CcFlag::output:
        output_ = value;
        return key("-o");
      case CcFlag::side_output:
        side_outputs_.push_back({"side", std::string(value), true});
        if (name == "-MJ") records_words();
        return key(name);
      case CcFlag::records_words:
        if (cc().kind != CcKind::gcc) records_words();
        break;
      case CcFlag::language: language_ = value == "none" ? "" : value; break;
      case CcFlag::prefix_map: return take_prefix_map(name, value);
      case CcFlag::directory_map: cc().rewrites_paths = true; break;
      case CcFlag::forward: return take_forward(word);
      case CcFlag::preprocessor_words: return take_preprocessor_words(value);
      case CcFlag::assembler_words:
      case CcFlag::linker_words: return take_tool_words(name, value);
      case CcFlag::debug: cc().debug_info = true; break;
      case CcFlag::debug_off: cc().debug_info = false; break;
      case CcFlag::split_debug:
        cc().debug_info = true;
        cc().names_output = true;
        break;
      case CcFlag::names_output:
        cc().names_output = true;
        if (value.starts_with('=')) return key(name + "=", value.substr(1));
        break;
      case CcFlag::color: inv().color_given = true; break;
      case CcFlag::arch:
        if (has_arch_) refuse(Refusal::unsupported_flag, "several -arch");
        has_arch_ = true;
        break;
      case CcFlag::question: refuse(Refusal::not_a_compile, row.name); break;
      case CcFlag::refused: refuse(row.refusal, row.name); break;
    }
    key(name + std::string(value));
  }

  // A map of ours would be written down with the rest of the command line.
  void records_words() { cc().rewrites_paths = true; }

  // OLD is a place here; NEW is what the outputs will hold.
  void take_prefix_map(const std::string& name, std::string_view value) {
    cc().rewrites_paths = true;
    size_t equals = value.find('=');
    if (equals == std::string_view::npos) return key(name + std::string(value));
    key(name, value.substr(0, equals));
    key(value.substr(equals));
  }

  void take_forward(const CcWord& word) {
    std::string_view text = word.count == 2 ? std::string_view(args_[word.first + 1]) : word.value;
    std::string name(word.text);
    if (previous_forward_ == "-Map" || previous_forward_ == "-Map=") side_outputs_.push_back({"side", std::string(text), true});
    previous_forward_ = text;
    // A plugin or a file of options for a tool behind the driver.
    if (is_absolute(text)) return key(name + " ", text);
    key(name + " " + std::string(text));
  }

  // -Wp,-MD,file and -Wp,-MMD,file ask for dependencies too. Everything else is for cpp and is keyed as it stands.
  void take_preprocessor_words(std::string_view list) {
    std::vector<std::string_view> words = split(list);
    for (size_t i = 0; i < words.size(); ++i) {
      std::string_view word = words[i];
      bool takes_next = word == "-MD" || word == "-MMD" || word == "-MF" || word == "-MT" || word == "-MQ";
      if (!takes_next || i + 1 == words.size()) {
        key("-Wp," + std::string(word));
        continue;
      }
      std::string value(words[++i]);
      key("-Wp," + std::string(word));
      if (word == "-MT" || word == "-MQ") {
        targets_.push_back({value, word == "-MQ"});
      } else if (depfile_) {
        // Which of two files gets written is a matter of the compiler's version.
        refuse(Refusal::unsupported_flag, "-Wp,-MD beside another file of dependencies");
      } else {
        depends_ = true;
        depends_by_words_ = true;
        depfile_ = value;
      }
    }
  }

  // For the assembler and the linker: paths in them are mapped, and what they write is an output.
  void take_tool_words(const std::string& name, std::string_view list) {
    std::vector<std::string_view> words = split(list);
    for (size_t i = 0; i < words.size(); ++i) {
      std::string_view word = words[i];
      size_t equals = word.find('=');
      std::string_view head = word.substr(0, equals == std::string_view::npos ? word.size() : equals + 1);
      std::string_view value = word.substr(head.size());
      bool lists_time = name == "-Wa," && word.starts_with("-a") && word.substr(0, word.find('=')).find('g') != std::string_view::npos;
      if (lists_time) refuse(Refusal::time_macro, "-Wa," + std::string(word));
      bool takes_next = word == "-Map" || word == "-MD" || word == "--MD" || word == "-rpath" || word == "-rpath-link" ||
                        word == "--version-script" || word == "-soname" || word == "-h";
      bool writes = head == "-Map=" || head == "--Map=" || head == "--out-implib=" || head == "--dependency-file=" ||
                    head == "--cref-file=" || (name == "-Wa," && head.starts_with("-a") && head.ends_with('=')) ||
                    word == "-Map" || word == "-MD" || word == "--MD";
      key(name + std::string(head), is_absolute(value) && !writes ? value : std::string_view());
      if (takes_next && i + 1 < words.size()) value = words[++i];
      else if (!writes && !value.empty() && !is_absolute(value)) key(value);
      if (writes && !value.empty()) side_outputs_.push_back({"side", std::string(value), true});
      else if (takes_next) key(" ", value);
    }
  }

  static std::vector<std::string_view> split(std::string_view list) {
    std::vector<std::string_view> words;
    for (;;) {
      size_t comma = list.find(',');
      words.push_back(list.substr(0, comma));
      if (comma == std::string_view::npos) return words;
      list.remove_prefix(comma + 1);
    }
  }

  // --- the whole ---------------------------------------------------------------------------------------------------

  // In the order in which the driver decides: what stops early wins.
  void conclude() {
    Invocation& invocation = inv();
    if (sources_.empty() && link_inputs_ == 0 && !reads_stdin_) refuse(Refusal::not_a_compile, "no input");
    if (reads_stdin_) refuse(Refusal::source_from_stdin, {});
    bool stops = wants_text_ || wants_assembly_ || wants_object_ || wants_nothing_ || wants_module_;
    bool all_headers = !sources_.empty() && link_inputs_ == 0 &&
                       std::all_of(sources_.begin(), sources_.end(), [](const Source& s) { return is_cc_header(s.language); });
    if (!stops && !all_headers) return conclude_link();
    if (sources_.empty()) return refuse(Refusal::not_a_compile, "no source");
    invocation.purpose = Purpose::compile;
    invocation.source = sources_.front().path;
    invocation.crate_name = base_name(invocation.source);
    cc().language = sources_.front().language;
    for (const char* several : {"cuda", "hip"}) {
      if (cc().language == several) refuse(Refusal::unsupported_flag, std::string("-x ") + several);
    }
    if (sources_.size() > 1) {
      // The driver refuses one name for several objects itself.
      if (output_ || depfile_) return refuse(Refusal::not_a_compile, "one output for several sources");
      for (const Source& source : sources_) invocation.source_arguments.push_back(source.argument);
      invocation.split_args = args_;
      return;
    }
    cc().is_configure_probe = is_probe_path(absolute_path(line_.cwd, invocation.source));
    name_compile_outputs();
    finish();
  }

  void name_compile_outputs() {
    Invocation& invocation = inv();
    const std::string& source = invocation.source;
    std::string object;
    std::string_view role = "object";
    if (wants_text_) {
      role = "preprocessed";
      if (!output_ || *output_ == "-") refuse(Refusal::prints_to_stdout, "-E");
      if (depends_ && !depfile_) refuse(Refusal::unsupported_flag, "-E with -MD and no -MF");
    } else if (wants_nothing_) {
      role = "";
    } else if (wants_module_) {
      role = "precompiled-module";
      object = std::string(stem_of(source)) + ".pcm";
    } else if (wants_assembly_) {
      role = "assembly";
      object = std::string(stem_of(source)) + ".s";
    } else if (is_cc_header(cc().language)) {
      role = "precompiled-header";
      cc().is_precompiled_header = true;
      object = source + ".gch";
    } else {
      object = std::string(stem_of(source)) + ".o";
    }
    if (output_ && !role.empty()) object = *output_;
    if (!role.empty()) invocation.named_outputs.push_back({std::string(role), object});
    if (depends_) name_depfile(role.empty() ? std::string(stem_of(source)) + ".o" : object);
  }

  struct Target {
    std::string text;
    bool is_quoted;
  };

  // gcc writes what -MT says before what -MQ says; clang keeps the order.
  void name_depfile(const std::string& object) {
    std::string path = depfile_ ? *depfile_ : output_ ? with_suffix(object, ".d") : std::string(stem_of(inv().source)) + ".d";
    inv().named_outputs.push_back({"depfile", path, is_cc_preprocessed(cc().language)});
    std::vector<Target> targets = targets_;
    if (targets.empty()) {
      // Told through -Wp, gcc's preprocessor knows nothing of -o.
      bool by_source = depends_by_words_ && cc().kind == CcKind::gcc;
      targets.push_back({by_source ? std::string(stem_of(inv().source)) + ".o" : object, true});
    }
    if (cc().kind != CcKind::clang) {
      std::stable_partition(targets.begin(), targets.end(), [](const Target& target) { return !target.is_quoted; });
    }
    for (const Target& target : targets) {
      std::string text = target.is_quoted ? escape_for_make(target.text) : target.text;
      // An unquoted target with spaces is several words to whoever reads the file.
      size_t start = 0;
      for (size_t i = 0; i <= text.size(); ++i) {
        bool ends = i == text.size() || (text[i] == ' ' && (i == 0 || text[i - 1] != '\\'));
        if (!ends) continue;
        cc().depfile_targets.push_back(text.substr(start, i - start));
        start = i + 1;
      }
    }
  }

  void conclude_link() {
    Invocation& invocation = inv();
    invocation.purpose = Purpose::link;
    std::string program = output_ ? *output_ : "a.out";
    invocation.crate_name = base_name(program);
    if (!sources_.empty()) {
      invocation.source = sources_.front().path;
      cc().language = sources_.front().language;
    }
    cc().is_configure_probe = is_probe_path(absolute_path(line_.cwd, invocation.source.empty() ? program : invocation.source));
    invocation.named_outputs.push_back({"link", program});
    if (depends_ && sources_.size() == 1) {
      std::string path = depfile_ ? *depfile_ : "";
      if (path.empty()) refuse(Refusal::unsupported_flag, "-MD while linking, without -MF");
      else name_depfile(program);
    } else if (depends_ && !sources_.empty()) {
      refuse(Refusal::unsupported_flag, "-MD for several sources at once");
    }
    finish();
  }

  void finish() {
    Invocation& invocation = inv();
    for (NamedOutput& side : side_outputs_) invocation.named_outputs.push_back(std::move(side));
    for (const NamedOutput& output : invocation.named_outputs) check_output(output.path);
    if (cc().names_output && !invocation.named_outputs.empty()) key("output ", invocation.named_outputs.front().path);
  }

  void check_output(const std::string& path) {
    if (path == "-") refuse(Refusal::output_to_stdout, {});
    if (path.empty()) return refuse(Refusal::not_a_compile, "an output without a name");
    if (is_device(absolute_path(line_.cwd, path))) refuse(Refusal::output_not_private_file, path);
  }

  bool is_cxx_ = false;

  std::vector<Source> sources_;
  size_t link_inputs_ = 0;
  bool reads_stdin_ = false;
  std::string language_;  // of -x
  bool wants_object_ = false, wants_assembly_ = false, wants_text_ = false, wants_nothing_ = false, wants_module_ = false;
  std::optional<std::string> output_, depfile_;
  bool depends_ = false, depends_by_words_ = false;
  std::vector<Target> targets_;
  std::vector<NamedOutput> side_outputs_;
  std::string previous_forward_;
  bool has_arch_ = false;
};

}  // namespace

ParsedInvocation parse_cc(FileSystem& fs, const CommandLine& line) { return Parser(fs, line).run(); }

}  // namespace kache
