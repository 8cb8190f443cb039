#include "wrapper/outputs.h"

#include <algorithm>

#include "base/path.h"
#include "base/path_resolver.h"
#include "store/restore.h"

namespace kache {
namespace {

// The kind of --emit to which a file belongs, by its extension. What has another one was made by the way ("side").
struct RoleRow {
  std::string_view extension;
  std::string_view role;
};
constexpr RoleRow kRoles[] = {
    {".d", "dep-info"}, {".rmeta", "metadata"}, {".s", "asm"},      {".ll", "llvm-ir"}, {".bc", "llvm-bc"},
    {".o", "obj"},      {".mir", "mir"},        {".rlib", "link"},  {".a", "link"},     {".so", "link"},
    {".dylib", "link"}, {".wasm", "link"},      {".exe", "link"},   {".dll", "link"},   {".lib", "link"},
};

std::string_view role_of(std::string_view name, const Invocation& invocation) {
  for (const RoleRow& row : kRoles) {
    if (name.size() > row.extension.size() && name.ends_with(row.extension)) return row.role;
  }
  // An executable has no extension on this platform: the bare stem.
  for (const std::string& stem : invocation.output_stems()) {
    if (name == stem) return "link";
  }
  return "side";
}

bool has_stem(std::string_view name, const std::vector<std::string>& stems) {
  for (const std::string& stem : stems) {
    if (!name.starts_with(stem)) continue;
    if (name.size() == stem.size() || name[stem.size()] == '.' || name[stem.size()] == '-') return true;
  }
  return false;
}

// rustc says with --emit=link,metadata of a program that there is nothing to say: no file, or an empty one.
bool may_lack(const Invocation& invocation, std::string_view kind) {
  if (kind == "metadata") return invocation.makes_user_executable();
  // One object a codegen unit, or none at all, depending on the crate and -C flags; rustc itself reports what it could
  // not write.
  return kind == "asm" || kind == "llvm-ir" || kind == "llvm-bc" || kind == "obj" || kind == "mir";
}

}  // namespace

FoundOutputs find_rustc_outputs(FileSystem& fs, const Invocation& invocation, const std::string& cwd,
                          const std::vector<WrittenFile>& written) {
  FoundOutputs found;
  auto refuse = [&](Refusal refusal, const std::string& detail) {
    found.refused = {refusal, detail};
    return found;
  };
  PathResolver resolver(fs);
  std::vector<std::string> named = explicit_paths(invocation, cwd);
  for (std::string& path : named) path = resolver.place(path);
  std::vector<std::string> stems = invocation.output_stems();
  std::string dir = resolver.real(absolute_path(cwd, invocation.output_dir()));
  for (const WrittenFile& file : written) {
    FoundOutput output;
    output.path = file.path;
    output.output.name = base_name(file.path);
    auto is_named = std::find(named.begin(), named.end(), file.path);
    if (is_named != named.end()) {
      output.output.place = OutputPlace::explicit_path;
      output.output.explicit_index = static_cast<uint32_t>(is_named - named.begin());
    } else if (dir_name(file.path) != dir || !has_stem(output.output.name, stems)) {
      Result<FileStat> stat = fs.lstat(file.path);
      if (!stat.ok() || file.is_temporary) continue;  // gone, or left behind where such things are left
      return refuse(Refusal::unknown_write, file.path);
    }
    Result<FileStat> stat = fs.lstat(file.path);
    if (!stat.ok()) continue;
    if (!stat->is_regular()) return refuse(Refusal::output_not_private_file, file.path);
    output.stat = *stat;
    output.output.mode = stat->mode & 0777;
    output.output.size = stat->size;
    output.output.role = role_of(output.output.name, invocation);
    if (output.output.place == OutputPlace::explicit_path) {
      for (const Emit& emit : invocation.emits) {
        if (emit.path.empty()) continue;
        if (resolver.place(absolute_path(cwd, emit.path)) == file.path) output.output.role = emit.kind;
      }
      if (output.output.role == "side") output.output.role = "link";  // -o without an extension
    }
    found.outputs.push_back(std::move(output));
  }
  if (invocation.purpose == Purpose::probe) return found;
  for (const Emit& emit : invocation.emits) {
    bool present = std::any_of(found.outputs.begin(), found.outputs.end(),
                               [&](const FoundOutput& output) { return output.output.role == emit.kind; });
    if (!present && !may_lack(invocation, emit.kind)) return refuse(Refusal::missing_output, emit.kind);
  }
  return found;
}

}  // namespace kache
