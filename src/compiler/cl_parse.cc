// The command line of Microsoft's cl as clang-cl reads it. Only clang-cl: the compiler of Microsoft itself writes into databases
// that many compiles share.
#include <algorithm>
#include <iterator>
#include <optional>

#include "base/path.h"
#include "compiler/cc_flags.h"
#include "compiler/cc_languages.h"
#include "compiler/compilers.h"
#include "compiler/line_parser.h"

namespace kache {
namespace {

enum class ClFlag : uint8_t {
  path, compile, object, output, syntax_only, preprocess, listing, database, language, force_c, force_cxx, debug, forward, link, question, refused,
};

enum class ClArity : uint8_t { alone, joined, separate, either };

struct ClRow {
  std::string_view name;  // without the '/' or '-'
  ClArity arity;
  ClFlag flag;
};

// What is not here is keyed as it stands: /W4 /Od /RTC1 /MDd /EHsc /Zc:… /std:… /D and /U too, with what follows them.
// Source: clang-cl's own help (clang 14), and trying. The longest name that fits counts.
constexpr ClRow kRows[] = {
    {"c", ClArity::alone, ClFlag::compile},
    {"Fo", ClArity::joined, ClFlag::object},
    {"o", ClArity::either, ClFlag::output},
    {"Zs", ClArity::alone, ClFlag::syntax_only},
    {"E", ClArity::alone, ClFlag::preprocess},
    {"EP", ClArity::alone, ClFlag::preprocess},
    {"P", ClArity::alone, ClFlag::preprocess},
    {"Fa", ClArity::joined, ClFlag::listing},
    {"FA", ClArity::joined, ClFlag::listing},
    {"Fe", ClArity::joined, ClFlag::link},
    {"Fd", ClArity::joined, ClFlag::database},  // clang-cl writes none
    {"FI", ClArity::either, ClFlag::path},
    {"I", ClArity::either, ClFlag::path},
    {"imsvc", ClArity::either, ClFlag::path},
    {"external:I", ClArity::either, ClFlag::path},
    {"Fp", ClArity::joined, ClFlag::path},
    {"Yc", ClArity::joined, ClFlag::refused},
    {"Yu", ClArity::joined, ClFlag::path},
    {"TC", ClArity::alone, ClFlag::force_c},
    {"TP", ClArity::alone, ClFlag::force_cxx},
    {"Tc", ClArity::joined, ClFlag::language},
    {"Tp", ClArity::joined, ClFlag::language},
    {"Z7", ClArity::alone, ClFlag::debug},
    {"Zi", ClArity::alone, ClFlag::debug},
    {"ZI", ClArity::alone, ClFlag::debug},
    {"link", ClArity::alone, ClFlag::link},
    {"LD", ClArity::alone, ClFlag::link},
    {"LDd", ClArity::alone, ClFlag::link},
    {"D", ClArity::either, ClFlag::forward},
    {"U", ClArity::either, ClFlag::forward},
    {"Xclang", ClArity::separate, ClFlag::forward},
    {"mllvm", ClArity::separate, ClFlag::forward},
    {"clang:", ClArity::joined, ClFlag::forward},
    {"?", ClArity::alone, ClFlag::question},
    {"help", ClArity::alone, ClFlag::question},
    {"-help", ClArity::alone, ClFlag::question},
    {"-version", ClArity::alone, ClFlag::question},
    {"###", ClArity::alone, ClFlag::question},
};

const ClRow* find(std::string_view text) {
  const ClRow* best = nullptr;
  for (const ClRow& row : kRows) {
    bool fits = row.arity == ClArity::joined || row.arity == ClArity::either ? text.starts_with(row.name) : text == row.name;
    if (fits && (!best || best->name.size() < row.name.size())) best = &row;
  }
  return best;
}

class Parser : private LineParser {
 public:
  Parser(FileSystem& fs, const CommandLine& line) : LineParser(fs, line) {}

  ParsedInvocation run() {
    take_line(Family::cc);
    inv().cc.kind = CcKind::clang_cl;
    if (!take_response_files(Quoting::windows)) return std::move(out_);
    inv().native_cpu = asks_for_native_cpu(args_);
    for (size_t i = 0; i < args_.size(); ++i) take(i);
    conclude();
    return std::move(out_);
  }

 private:
  // A path on this system may begin like a flag: a file that is there is a file.
  bool is_flag(std::string_view arg) {
    if (only_inputs_ || arg.size() < 2 || (arg[0] != '-' && arg[0] != '/')) return false;
    if (arg[0] == '-') return true;
    const ClRow* row = find(arg.substr(1));
    if (row && (row->arity == ClArity::alone || row->name.size() > 1)) return true;
    return arg.find('/', 1) == std::string_view::npos || !fs_.stat(absolute_path(line_.cwd, arg)).ok();
  }

  void take(size_t& i) {
    std::string_view arg = args_[i];
    if (arg == "--" && !only_inputs_) {
      only_inputs_ = true;
      return;
    }
    if (!is_flag(arg)) return take_input(arg);
    const ClRow* row = find(arg.substr(1));
    if (!row) return take_unknown(arg);
    std::string_view value = arg.substr(1 + row->name.size());
    bool next = row->arity == ClArity::separate || (row->arity == ClArity::either && value.empty());
    if (next && i + 1 == args_.size()) return refuse(Refusal::not_a_compile, std::string(arg) + " without a value");
    if (next) value = args_[++i];
    take_flag(*row, arg, value);
  }

  void take_unknown(std::string_view arg) {
    size_t equals = arg.find('=');
    if (equals != std::string_view::npos && is_absolute(arg.substr(equals + 1))) {
      return key(arg.substr(0, equals + 1), arg.substr(equals + 1));
    }
    key("/" + std::string(arg.substr(1)));  // "-W4" is "/W4"
  }

  void take_flag(const ClRow& row, std::string_view arg, std::string_view value) {
    std::string name = "/" + std::string(row.name);
    switch (row.flag) {
      case ClFlag::path: return key(name, value);
      case ClFlag::compile: compiles_ = true; break;
      case ClFlag::object:
        if (value.starts_with(':')) value.remove_prefix(1);
        object_ = value;
        return key(name);
      case ClFlag::output: object_ = value; return key("/Fo");
      case ClFlag::syntax_only: compiles_ = checks_ = true; break;
      case ClFlag::preprocess: refuse(Refusal::prints_to_stdout, arg); break;
      case ClFlag::listing: refuse(Refusal::unsupported_flag, arg); break;
      case ClFlag::database: return key(name);
      case ClFlag::language: take_source(value, row.name == "Tp" ? "c++" : "c"); break;
      case ClFlag::force_c: language_ = "c"; break;
      case ClFlag::force_cxx: language_ = "c++"; break;
      case ClFlag::debug: inv().cc.debug_info = true; break;
      case ClFlag::forward: return key(name + " " + std::string(value));
      case ClFlag::link: refuse(Refusal::unsupported_flag, "linking by the command line of cl"); break;
      case ClFlag::question: refuse(Refusal::not_a_compile, arg); break;
      case ClFlag::refused: refuse(Refusal::unsupported_flag, arg); break;
    }
    key(name + std::string(value));
  }

  void take_input(std::string_view arg) {
    std::string language = !language_.empty() ? language_ : std::string(cc_language_of(arg));
    if (language.empty()) return key("input ", arg);
    take_source(arg, language);
  }

  void take_source(std::string_view path, std::string_view language) {
    if (path.empty()) return refuse(Refusal::not_a_compile, "a file without a name");
    sources_.emplace_back(path);
    inv().cc.language = language;
    key("source " + std::string(language) + " ", path);
  }

  void conclude() {
    Invocation& invocation = inv();
    invocation.purpose = Purpose::compile;
    if (sources_.empty()) return refuse(Refusal::not_a_compile, "no source");
    invocation.source = sources_.front();
    invocation.crate_name = base_name(invocation.source);
    if (!compiles_) return refuse(Refusal::unsupported_flag, "linking by the command line of cl");
    if (sources_.size() > 1) return refuse(Refusal::unsupported_flag, "several sources by the command line of cl");
    if (checks_) return;
    std::string object = std::string(without_extension(base_name(invocation.source))) + ".obj";
    // "/Fodir/" says where, "/Foname" says what, with an extension where it has none.
    if (object_) object = object_->ends_with('/') || object_->empty() ? *object_ + object : *object_;
    if (object_ && base_name(object).find('.') == std::string_view::npos) object += ".obj";
    if (is_device(absolute_path(line_.cwd, object))) refuse(Refusal::output_not_private_file, object);
    invocation.named_outputs.push_back({"object", object});
  }

  std::vector<std::string> sources_;
  std::string language_;
  std::optional<std::string> object_;
  bool only_inputs_ = false, compiles_ = false, checks_ = false;
};

}  // namespace

ParsedInvocation parse_cl(FileSystem& fs, const CommandLine& line) { return Parser(fs, line).run(); }

}  // namespace kache
