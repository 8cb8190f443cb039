// Places: which roots of this machine left their mark in what a compile made. A result with such a mark is good for that place
// only; all others are good for every checkout.
//
// Outputs and messages are searched for the paths of the roots and for values of variables (store/evidence.h), and what can not
// be searched is doubted. Errs on the side of finding: a false find costs sharing, a missed one would be a wrong hit.
// Knows how rustc comes by the values of variables; unaware of digests and of the store.
//
// One object for each compile: it is shown all outputs first and asked afterwards. Not for use from several threads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "compiler/invocation.h"
#include "compiler/text_token.h"
#include "config/config.h"
#include "key/input.h"
#include "key/roots.h"
#include "record/collect.h"
#include "store/entry.h"
#include "store/evidence.h"

namespace kache {

// All of it outlives the search.
struct PlaceContext {
  const CommandLine& line;
  const Invocation& invocation;
  const Roots& roots;
  const Config& config;
  const Observed& observed;
};

class Places {
 public:
  Places(FileSystem& fs, const PlaceContext& context);

  // Paths that the text holds by root are written anew for each place, and are no marks.
  void search_text(const TextTemplate& text);
  // An Error if it can not be read: then nothing is known.
  Status search_file(const std::string& path, uint64_t size_bytes);
  // What rustc says of the variables that it was asked for. Where it is not told, every value may have been used.
  void note_dep_info(DepInfo info) { dep_info_ = std::move(info); }

  // From here on, REQUIRES: all outputs have been shown.

  // Which of the variables that were asked for are inputs; sorted. `has_messages`: something was printed for people.
  std::vector<std::string> find_variables(bool has_messages) const;
  // Where the result belongs; sorted. `variables`: those that are inputs.
  std::vector<Binding> find_bindings(const std::vector<std::string>& variables) const;
  // The name of the first output stands in what was made, or may do.
  bool shows_output_name() const;

 private:
  struct RootPattern {
    RootRef root;
    size_t pattern;  // the path as spelled; the real one follows
  };
  struct VariablePattern {
    std::string name;
    size_t pattern;
    RootRef root;
    size_t size;  // of the value, or of the element in a list
  };
  struct HarmlessPattern {
    std::string name;
    size_t pattern;
  };
  std::vector<std::string> make_patterns();
  void add_places_of(const std::string& name, std::vector<std::string>& patterns);
  bool is_named_by_sources(const std::string& name) const;
  bool is_value_found(const std::string& name) const;
  bool outputs_hide_text() const;
  bool may_hide(const std::string& name) const;

  FileSystem& fs_;
  PlaceContext context_;
  std::vector<RootPattern> roots_;
  std::vector<VariablePattern> variables_;
  std::vector<HarmlessPattern> harmless_;
  std::optional<size_t> output_pattern_;
  PatternSearch search_;  // after what make_patterns() fills
  std::optional<DepInfo> dep_info_;
  bool hidden_ = false;  // some output can not be searched
};

}  // namespace kache
