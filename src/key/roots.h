// Roots: the places whose location does not matter (this checkout, this target directory, this CARGO_HOME), and paths
// as (root, rest). One Roots value is made per invocation and decides everything alike: the keys, the
// --remap-path-prefix arguments, the inputs in a trace, the paths rendered into a restored .d file.
//
// The order is rustc's and gcc's: of all rules that match, the last one wins. A path that is below no root is itself.
// Knows spellings; resolves the symlinks of the roots themselves once, and nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/file_system.h"
#include "compiler/invocation.h"
#include "config/config.h"

namespace kache {

// The numbers are on disk (docs/formats.md): never reused.
enum class RootKind : uint8_t {
  none = 0,        // an absolute path as it stands
  temp = 1,        // $TMPDIR or /tmp
  home = 2,        // $HOME
  target = 3,      // cargo's target directory, from --out-dir
  workspace = 4,   // the working directory of the compile
  base = 5,        // KACHE_BASE_DIR
  cargo_home = 6,  // $CARGO_HOME or ~/.cargo
  configured = 7,  // [paths] base_dirs; RootRef::index counts them in the order of the configuration
  project = 8,     // of the C family: the checkout, see key/project.h
};

struct RootRef {
  RootKind kind = RootKind::none;
  uint8_t index = 0;
  bool operator==(const RootRef&) const = default;
  auto operator<=>(const RootRef&) const = default;
};

// A path relative to a root; with RootKind::none `rest` is an absolute path. `rest` is "" for the root itself.
struct RootedPath {
  RootRef root;
  std::string rest;
  bool operator==(const RootedPath&) const = default;
  auto operator<=>(const RootedPath&) const = default;
};

struct Root {
  RootRef ref;
  std::string path;      // as the user spells it; absolute and tidy
  std::string real;      // with symlinks resolved; equal to `path` where there are none
  std::string remap_to;  // what the compiler is told to write instead
  bool is_whole = true;  // false: a place too wide to be named to a compiler (home, temporary files)
};

class Roots {
 public:
  // For tests; `roots` in ascending precedence.
  explicit Roots(std::vector<Root> roots) : roots_(std::move(roots)) {}

  // `path` must be absolute and tidy.
  RootedPath map(std::string_view path) const;
  // The path here, in the spelling of this invocation; nullptr-like "" when the root does not exist here.
  std::string resolve(const RootedPath& path) const;
  // For keys, what the path looks like after the remapping: equal texts mean equal bytes in the outputs. Relative paths
  // are returned as they are.
  std::string remapped(std::string_view path) const;
  // A ':'-separated value with every element remapped that is an absolute path.
  std::string remapped_list(std::string_view value) const;

  const Root* find(RootRef ref) const;
  const std::vector<Root>& all() const { return roots_; }

 private:
  const Root* match(std::string_view path, std::string_view* rest) const;
  std::vector<Root> roots_;
};

Roots find_roots(FileSystem& fs, const CommandLine& line, const Invocation& invocation, const Config& config);

// cargo's target directory, from the place where the unit's outputs go; `out_dir` absolute.
std::string target_dir_of(std::string_view out_dir, std::string_view target);

}  // namespace kache
