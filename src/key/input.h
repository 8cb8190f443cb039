// Input: one thing that a compile really read, in a form that can be asked again ("is it still so?") in this checkout
// or another one. An InputSet is all of them: it and the invocation key make the action key.
//
// Plain values; verify.h asks the questions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/digest.h"
#include "key/roots.h"

namespace kache {

// The numbers are on disk.
enum class InputKind : uint8_t {
  file = 1,       // content; digest: of the bytes
  absent = 2,     // nothing is there; digest: zero
  presence = 3,   // something is there, its content was not read; digest: of kind, and size for regular files
  listing = 4,    // the names in a directory; digest: of the sorted names
  link = 5,       // a symbolic link; digest: of its text
  real_path = 6,  // a path that resolves elsewhere; digest: of the remapped real path
  program = 7,    // a name looked up along PATH; digest: of the remapped path found, zero when there is none
  libraries = 8,  // the names of Rust libraries in a directory (lib*.rlib, .rmeta, .so); digest: of the sorted names
  matches = 9,    // which files match declared patterns (store/matches.h); digest: of the sorted names
  times = 10,     // size and mtime of a file, for outputs that hold them (clang's precompiled headers); digest: of both
};

struct Input {
  InputKind kind = InputKind::file;
  RootedPath path;
  Digest digest;
  bool operator==(const Input&) const = default;
};

// A variable that was asked for. The digest is over the remapped value, or the literal one when the set is bound to
// its place; zero when the variable was not set.
struct EnvInput {
  std::string name;
  bool is_set = false;
  Digest digest;
  std::string shown = {};  // the value for explanations, "" where it is long or may be secret; no part of what is compared
  bool operator==(const EnvInput& other) const {
    return name == other.name && is_set == other.is_set && digest == other.digest;
  }
};

// The outputs hold the location of this root, so another location is another result.
struct Binding {
  RootRef root;
  std::string path;
  bool operator==(const Binding&) const = default;
};

struct InputSet {
  std::vector<Input> inputs;  // sorted by path, then kind
  std::vector<EnvInput> env;  // sorted by name
  std::vector<Binding> bindings;
  bool operator==(const InputSet&) const = default;
};

// Not a variable: `--diagnostic-width`, compared only where a diagnostic was printed.
inline constexpr std::string_view kDiagnosticWidth = "=diagnostic-width";

// Whether messages were made for a terminal, compared only where there are some.
inline constexpr std::string_view kDiagnosticColor = "=diagnostic-color";

// What the first output is called, compared where that shows in the result; and for whom a depfile was written, where it is
// kept as it is.
inline constexpr std::string_view kOutputName = "=output";
inline constexpr std::string_view kDepfileTargets = "=depfile-targets";

// Not a variable either: all of them, because a shell ran, which takes the environment as a whole.
inline constexpr std::string_view kWholeEnvironment = "=environment";

Digest env_digest(const Roots& roots, std::string_view value);
// By its name, a variable may hold what nobody else shall read.
bool may_be_secret(std::string_view name);
// What may be kept and shown of a variable's value.
std::string shown_value(const Roots& roots, std::string_view name, std::string_view value);
ActionKey derive_action_key(const InvocationKey& invocation, const InputSet& set);

}  // namespace kache
