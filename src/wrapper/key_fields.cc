#include "wrapper/key_fields.h"

#include <optional>

#include "base/path.h"
#include "store/verify.h"

namespace kache {
namespace {

enum Group { compiler, args, sources, env_deps, externs, link, env_cfg, remap, crate, kGroups };
constexpr std::string_view kNames[] = {"compiler", "args", "sources", "env_deps", "externs", "link", "env_cfg", "remap", "crate"};

struct ArgRow {
  std::string_view begin;
  Group group;
};
constexpr ArgRow kArgs[] = {
    {"--crate-name", crate}, {"--crate-type", crate},  {"--edition", crate},          {"--extern", externs},
    {"-L", link},            {"-l", link},             {"-C link", link},             {"-C linker", link},
    {"--cfg", env_cfg},      {"--remap-path", remap},
};

Group group_of(const KeyPart& part) {
  if (part.label == "toolchain" || part.label == "cpu" || part.label.starts_with("compiler") || part.label.starts_with("program ")) {
    return compiler;
  }
  if (part.label == "preprocessed") return sources;
  if (part.label == "remap" || part.label == "cwd") return remap;
  if (part.label == "key_env_vars" || part.label.starts_with("env ")) return env_deps;
  if (part.label != "argv") return args;
  for (const ArgRow& row : kArgs) {
    if (part.text.starts_with(row.begin)) return row.group;
  }
  return args;
}

Group group_of(const Input& input) {
  std::string_view name = base_name(input.path.rest);
  if (is_library_name(name)) return externs;
  bool is_native = name.ends_with(".a") || name.ends_with(".o") || name.find(".so.") != std::string_view::npos;
  return input.kind == InputKind::program || is_native ? link : sources;
}

}  // namespace

std::vector<KeyField> key_fields(const std::vector<KeyPart>& parts, const InputSet& inputs) {
  std::optional<Hasher> groups[kGroups];
  auto in = [&](Group group) -> Hasher& { return groups[group] ? *groups[group] : groups[group].emplace(); };
  for (const KeyPart& part : parts) in(group_of(part)).field(part.label, part.text);
  for (const Input& input : inputs.inputs) in(group_of(input)).field(input.path.rest, input.digest);
  for (const EnvInput& env : inputs.env) {
    Group group = env.name.starts_with("CARGO_CFG_") ? env_cfg : env_deps;
    in(group).field(env.name, uint64_t{env.is_set}).field("value", env.digest);
  }
  for (const Binding& binding : inputs.bindings) in(remap).field("place", binding.path);
  std::vector<KeyField> fields;
  for (size_t i = 0; i < kGroups; ++i) {
    if (groups[i]) fields.push_back({kNames[i], groups[i]->finish().hex().substr(0, 16)});
  }
  return fields;
}

}  // namespace kache
