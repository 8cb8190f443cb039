#include "compiler/invocation.h"

#include <algorithm>

#include "base/path.h"

namespace kache {
namespace {

bool has(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

std::string Invocation::output_dir() const {
  if (family != Family::rustc) {
    std::string_view dir = named_outputs.empty() ? std::string_view() : dir_name(named_outputs.front().path);
    return dir.empty() ? "." : std::string(dir);
  }
  std::string_view dir = output_file.empty() ? std::string_view(out_dir) : dir_name(output_file);
  return dir.empty() ? "." : std::string(dir);
}

// Tried with rustc 1.95. `foo-bar.rs --emit metadata,link,dep-info,obj` makes libfoo_bar.rmeta, foo-bar.d and foo-bar.o:
// the name of a source keeps its dashes where no crate is named. Beside `-o x.so`, x.d and libx.rmeta appear, but
// libfoo_bar.rlib; -C extra-filename is in them all, save in the file that -o names.
std::vector<std::string> Invocation::output_stems() const {
  std::vector<std::string> stems;
  auto add = [&](const std::string& name) {
    for (const std::string& stem : {name, "lib" + name}) {
      if (!name.empty() && !has(stems, stem)) stems.push_back(stem);
    }
  };
  if (!output_file.empty()) {
    std::string stem(without_extension(base_name(output_file)));
    add(stem);
    add(stem + extra_filename);
  }
  add(crate_name + extra_filename);
  std::string from_source(without_extension(base_name(source)));
  std::string as_crate = from_source;
  std::replace(as_crate.begin(), as_crate.end(), '-', '_');
  if (crate_name == as_crate) add(from_source + extra_filename);
  return stems;
}

bool Invocation::makes_user_executable() const { return is_test || crate_types.empty() || has(crate_types, "bin"); }

std::string Invocation::type_label() const {
  if (purpose == Purpose::link) return "link";
  if (purpose == Purpose::archive) return "archive";
  if (family == Family::cc) return cc.language;
  if (is_test) return "test";
  std::string label;
  for (const std::string& type : crate_types) label += (label.empty() ? "" : ",") + type;
  return label;
}

bool Invocation::links() const {
  bool wanted = std::any_of(emits.begin(), emits.end(), [](const Emit& emit) { return emit.kind == "link"; });
  if (!wanted) return false;
  return makes_user_executable() || std::any_of(crate_types.begin(), crate_types.end(), [](const std::string& type) {
           return type == "cdylib" || type == "dylib" || type == "proc-macro" || type == "sdylib";
         });
}

}  // namespace kache
