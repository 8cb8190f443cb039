#include "compiler/redirect.h"

#include <algorithm>

#include "base/path.h"
#include "compiler/cc_flags.h"
#include "compiler/rustc_flags.h"

namespace kache {
namespace {

class Redirector {
 public:
  Redirector(const CommandLine& line, const Invocation& invocation, const std::string& into)
      : invocation_(invocation), into_(into), out_{line, {}} {}

  Redirected run() {
    bool is_rustc = invocation_.family == Family::rustc;
    args_ = is_rustc ? invocation_.args : std::vector<std::string>(out_.line.argv.begin() + 1, out_.line.argv.end());
    if (is_rustc) redirect_rustc();
    else redirect_cc();
    // From behind, so that what was found before it stays where it is.
    std::sort(edits_.begin(), edits_.end(), [](const Edit& a, const Edit& b) { return a.argument != b.argument ? a.argument > b.argument : a.offset > b.offset; });
    std::vector<std::string> changed = args_;
    for (const Edit& edit : edits_) changed[edit.argument].replace(edit.offset, edit.size, edit.text);
    std::vector<std::string>& argv = out_.line.argv;
    argv.resize(is_rustc && !invocation_.inner.empty() ? 2 : 1);
    argv.insert(argv.end(), changed.begin(), changed.end());
    return std::move(out_);
  }

 private:
  struct Edit {
    size_t argument, offset, size;
    std::string text;
  };

  // `part` is a view into one of args_.
  void replace(std::string_view part, std::string text) {
    for (size_t i = 0; i < args_.size(); ++i) {
      const char* begin = args_[i].data();
      if (part.data() < begin || part.data() + part.size() > begin + args_[i].size()) continue;
      edits_.push_back({i, static_cast<size_t>(part.data() - begin), part.size(), std::move(text)});
      return;
    }
  }

  const std::string& dir_for(std::string_view dir) {
    for (const RedirectedDir& known : out_.dirs) {
      if (known.from == dir) return known.to;
    }
    out_.dirs.push_back({std::string(dir), join_path(into_, std::to_string(out_.dirs.size()))});
    return out_.dirs.back().to;
  }

  void redirect_file(std::string_view path) {
    if (!path.empty()) replace(path, join_path(dir_for(dir_name(path)), base_name(path)));
  }

  void redirect_rustc() {
    Words words = split_words(args_);
    for (const Word& word : words.words) {
      if (word.kind != Word::flag) continue;
      if (word.row->flag == RustcFlag::out_dir && !word.text.empty()) replace(word.text, dir_for(word.text));
      if (word.row->flag == RustcFlag::output) redirect_file(word.text);
      if (word.row->flag != RustcFlag::emit) continue;
      for (std::string_view item : split(word.text)) redirect_file(behind_equals(item));
    }
  }

  void redirect_cc() {
    CcWords words = split_cc_words(args_);
    for (const CcWord& word : words.words) {
      if (word.kind != CcWord::flag) continue;
      switch (word.row->flag) {
        case CcFlag::output:
        case CcFlag::depend_file:
        case CcFlag::side_output: redirect_file(word.value); break;
        case CcFlag::preprocessor_words:
        case CcFlag::assembler_words:
        case CcFlag::linker_words:
          for (std::string_view item : split(word.value)) redirect_if_output(item);
          break;
        default: break;
      }
    }
  }

  // "-Map=a.map", or only the name.
  void redirect_if_output(std::string_view item) {
    for (std::string_view path : {item, behind_equals(item)}) {
      bool is_output = std::any_of(invocation_.named_outputs.begin(), invocation_.named_outputs.end(),
                                   [&](const NamedOutput& output) { return output.path == path; });
      if (is_output) return redirect_file(path);
    }
  }

  static std::string_view behind_equals(std::string_view item) {
    size_t equals = item.find('=');
    return equals == std::string_view::npos ? item.substr(item.size()) : item.substr(equals + 1);
  }

  static std::vector<std::string_view> split(std::string_view list) {
    std::vector<std::string_view> items;
    for (;;) {
      size_t comma = list.find(',');
      items.push_back(list.substr(0, comma));
      if (comma == std::string_view::npos) return items;
      list.remove_prefix(comma + 1);
    }
  }

  const Invocation& invocation_;
  const std::string& into_;
  Redirected out_;
  std::vector<std::string> args_;
  std::vector<Edit> edits_;
};

}  // namespace

Redirected redirect_outputs(const CommandLine& line, const Invocation& invocation, const std::string& into) {
  return Redirector(line, invocation, into).run();
}

}  // namespace kache
