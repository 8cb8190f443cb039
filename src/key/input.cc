#include "key/input.h"

#include "key/schema.h"

namespace kache {

Digest env_digest(const Roots& roots, std::string_view value) {
  return Hasher().field("env", roots.remapped_list(value)).finish();
}

ActionKey derive_action_key(const InvocationKey& invocation, const InputSet& set) {
  Hasher hasher;
  hasher.field("kache action", kKeySchema).field("invocation", invocation.digest);
  hasher.field("inputs", set.inputs.size());
  for (const Input& input : set.inputs) {
    hasher.field("kind", static_cast<uint64_t>(input.kind));
    hasher.field("root", static_cast<uint64_t>(input.path.root.kind) << 8 | input.path.root.index);
    hasher.field("path", input.path.rest).field("digest", input.digest);
  }
  hasher.field("env", set.env.size());
  for (const EnvInput& env : set.env) {
    hasher.field("name", env.name).field("set", uint64_t{env.is_set}).field("value", env.digest);
  }
  hasher.field("bindings", set.bindings.size());
  for (const Binding& binding : set.bindings) {
    hasher.field("root", static_cast<uint64_t>(binding.root.kind) << 8 | binding.root.index);
    hasher.field("path", binding.path);
  }
  return {hasher.finish()};
}

}  // namespace kache
