#include <algorithm>
#include <cstring>

#include "base/path.h"
#include "base/path_resolver.h"
#include "store/restore.h"
#include "wrapper/outputs.h"

namespace kache {
namespace {

// What follows `stem` in `name`, where that begins with a dot or a dash: "a.o" has ".o" behind "a", "prog-a.dwo" has "-a.dwo"
// behind "prog". Empty where it does not.
std::string_view rest_behind(std::string_view name, std::string_view stem) {
  if (stem.empty() || !name.starts_with(stem)) return {};
  std::string_view rest = name.substr(stem.size());
  bool is_part = rest.size() > 1 && (rest[0] == '.' || rest[0] == '-');
  return is_part && rest != ".." ? rest : std::string_view();
}

class Finder {
 public:
  Finder(FileSystem& fs, const Invocation& invocation, const std::string& cwd)
      : fs_(fs), invocation_(invocation), resolver_(fs), cwd_(resolver_.real(cwd)), named_(explicit_paths(invocation, cwd)) {
    for (std::string& path : named_) path = resolver_.place(path);
  }

  FoundOutputs run(const std::vector<WrittenFile>& written) {
    for (const WrittenFile& file : written) {
      take(file);
      if (found_.refused) return std::move(found_);
    }
    check_complete();
    return std::move(found_);
  }

 private:
  void refuse(Refusal refusal, const std::string& detail) { found_.refused = {refusal, detail}; }

  void take(const WrittenFile& file) {
    FoundOutput output;
    output.path = file.path;
    output.output.name = base_name(file.path);
    output.output.role = "side";
    Result<FileStat> stat = fs_.lstat(file.path);
    if (!place(file.path, output.output)) {
      if (!stat.ok() || file.is_temporary) return;  // gone, or left behind where such things are left
      return refuse(Refusal::unknown_write, file.path);
    }
    if (!stat.ok()) return;
    if (!stat->is_regular()) return refuse(Refusal::output_not_private_file, file.path);
    output.stat = *stat;
    output.output.mode = stat->mode & 0777;
    output.output.size = stat->size;
    found_.outputs.push_back(std::move(output));
  }

  // Known by name, by being named after the object or the program, or after the source in the working directory (what gcc's
  // dumps and -save-temps are). False for any other file.
  bool place(const std::string& path, Output& output) {
    auto named = std::find(named_.begin(), named_.end(), path);
    if (named != named_.end()) {
      auto index = static_cast<uint32_t>(named - named_.begin());
      output.place = OutputPlace::explicit_path;
      output.explicit_index = index;
      output.role = invocation_.named_outputs[index].role;
      return true;
    }
    if (!named_.empty() && dir_name(path) == dir_name(named_.front())) {
      for (uint32_t whole : {1u, 0u}) {
        std::string_view stem = whole ? std::string_view(named_.front()) : without_extension(named_.front());
        std::string_view rest = rest_behind(base_name(path), base_name(stem));
        if (rest.empty()) continue;
        output.place = OutputPlace::beside_first;
        output.explicit_index = whole;
        output.name = rest;
        return true;
      }
    }
    std::string_view source = base_name(without_extension(invocation_.source));
    if (dir_name(path) != cwd_ || rest_behind(base_name(path), source).empty()) return false;
    output.place = OutputPlace::working_dir;
    return true;
  }

  void check_complete() {
    for (uint32_t i = 0; i < invocation_.named_outputs.size(); ++i) {
      const NamedOutput& named = invocation_.named_outputs[i];
      bool present = std::any_of(found_.outputs.begin(), found_.outputs.end(), [&](const FoundOutput& output) {
        return output.output.place == OutputPlace::explicit_path && output.output.explicit_index == i;
      });
      if (!present && !named.may_lack) return refuse(Refusal::missing_output, named.role);
    }
  }

  FileSystem& fs_;
  const Invocation& invocation_;
  PathResolver resolver_;
  std::string cwd_;
  std::vector<std::string> named_;
  FoundOutputs found_;
};

}  // namespace

FoundOutputs find_cc_outputs(FileSystem& fs, const Invocation& invocation, const std::string& cwd,
                             const std::vector<WrittenFile>& written) {
  return Finder(fs, invocation, cwd).run(written);
}

}  // namespace kache
