#include "key/input.h"

#include <algorithm>
#include <cctype>

#include "key/schema.h"

namespace kache {

Digest env_digest(const Roots& roots, std::string_view value) {
  return Hasher().field("env", roots.remapped_list(value)).finish();
}

bool may_be_secret(std::string_view name) {
  constexpr std::string_view kSecretNames[] = {"SECRET", "TOKEN", "PASS", "KEY", "CREDENTIAL", "AUTH", "COOKIE", "SESSION", "PRIVATE", "SIGN"};
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (std::string_view word : kSecretNames) {
    if (upper.find(word) != std::string::npos) return true;
  }
  return false;
}

std::string shown_value(const Roots& roots, std::string_view name, std::string_view value) {
  constexpr size_t kLongest = 200, kLongestWord = 24;
  if (may_be_secret(name)) return "";
  if (value.size() > kLongest || value.find('@') != std::string_view::npos) return "";  // user:password@host
  // A long run of letters and digits both is more likely to be a token than a word.
  size_t run = 0;
  bool digits = false, letters = false;
  for (char each : value) {
    unsigned char c = static_cast<unsigned char>(each);
    if (c < ' ' || c >= 0x7f) return "";
    if (!std::isalnum(c)) {
      run = 0;
      digits = letters = false;
      continue;
    }
    (std::isdigit(c) ? digits : letters) = true;
    if (++run >= kLongestWord && digits && letters) return "";
  }
  return roots.remapped_list(value);
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
