#include <string_view>

#include "base/path.h"
#include "compiler/cc_names.h"
#include "compiler/compilers.h"
#include "compiler/line_parser.h"

namespace kache {
namespace {

// Letters that ask for something else than a library made of the members that are named: those are run as they are.
constexpr std::string_view kQuestions = "dmptxM";
constexpr std::string_view kPositions = "abiN";  // the next word is the name of a member, or a count

class Parser : private LineParser {
 public:
  Parser(FileSystem& fs, const CommandLine& line) : LineParser(fs, line) {}

  ParsedInvocation run() {
    take_line(Family::archive);
    inv().purpose = Purpose::archive;
    if (!take_response_files(Quoting::gnu)) return std::move(out_);
    bool is_ranlib = cc_name(inv().program).tool == CcTool::ranlib;
    for (const std::string& word : args_) {
      if (word.empty()) refuse(Refusal::not_a_compile, "a word without letters");
      else if (is_ranlib) take_ranlib_word(word);
      else take_ar_word(word);
    }
    conclude(is_ranlib);
    return std::move(out_);
  }

 private:
  void take_ranlib_word(std::string_view word) {
    if (word.size() > 1 && word[0] == '-') {
      bool is_switch = word == "-D" || word == "-U" || word == "-t";
      if (!is_switch) refuse(Refusal::not_a_compile, word);
      return key(word);
    }
    take_archive(word);
  }

  // ar [--option…] [-]letters [member|count] archive member…
  void take_ar_word(std::string_view word) {
    if (word.starts_with("--")) {
      if (word == "--help" || word == "--version") refuse(Refusal::not_a_compile, word);
      if (word == "--plugin" || word == "--target" || word == "--output" || word == "--record-libdeps") {
        refuse(Refusal::unsupported_flag, word);  // the value may be the next word
      }
      return key(word);
    }
    if (letters_.empty()) {
      letters_ = word.starts_with('-') ? word.substr(1) : word;
      if (letters_.find_first_of(kQuestions) != std::string_view::npos) refuse(Refusal::not_a_compile, word);
      if (letters_.find_first_of(kPositions) != std::string_view::npos) refuse(Refusal::unsupported_flag, word);
      return key(letters_);
    }
    if (archive_.empty()) return take_archive(word);
    key("member ", word);
  }

  void take_archive(std::string_view word) {
    if (!archive_.empty()) refuse(Refusal::unsupported_flag, "several archives");
    archive_ = word;
    key("archive");
  }

  void conclude(bool is_ranlib) {
    bool makes = is_ranlib || letters_.find_first_of("rqs") != std::string::npos;
    if (archive_.empty() || !makes) refuse(Refusal::not_a_compile, "no archive");
    inv().crate_name = base_name(archive_);
    if (archive_.empty()) return;
    if (is_device(absolute_path(line_.cwd, archive_))) refuse(Refusal::output_not_private_file, archive_);
    inv().named_outputs.push_back({"archive", archive_});
    inv().updates.push_back(archive_);
  }

  std::string letters_, archive_;
};

}  // namespace

ParsedInvocation parse_ar(FileSystem& fs, const CommandLine& line) { return Parser(fs, line).run(); }

}  // namespace kache
