// The invocation key: what was asked, before anything is known about what was read.
#pragma once

#include <string>
#include <vector>

#include "base/digest.h"
#include "compiler/invocation.h"
#include "config/config.h"
#include "key/roots.h"

namespace kache {

// True when the compile is done with remapped paths. Coverage reports need the real ones, and the user may say so. The C
// family gets them only with debug information, and never where a build system is trying the compiler out.
bool remaps_paths(const Invocation& invocation, const Config& config);

// `--remap-path-prefix=FROM=TO` for every root, in the order in which rustc needs them: before the user's own. For the C
// family `-fdebug-prefix-map` or, where the user wants it all, `-ffile-prefix-map`.
std::vector<std::string> remap_arguments(const Invocation& invocation, const Roots& roots, const Config& config);

// Named parts of the key, in order: what `kache why-miss` compares. The key is the hash of all of them.
struct KeyPart {
  std::string label;  // "toolchain", "argv", "cwd", ...
  std::string text;
};

// What compiles. A driver of the C family is another program under each of its names (clang++, arm-none-eabi-clang), and one
// that looks for its parts beside itself is another one in each place.
struct Program {
  Digest content;
  std::string found;  // absolute, links not followed
  std::string real;   // behind all links
};
std::vector<KeyPart> key_parts(const CommandLine& line, const Invocation& invocation, const Roots& roots,
                               const Config& config, const Program& program);
InvocationKey derive_invocation_key(const std::vector<KeyPart>& parts);

}  // namespace kache
