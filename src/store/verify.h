// Verify: is the world still as this input set says? And the same questions asked for the first time, after a compile.
//
// A digest comes from the memo where one stat proves it, else from reading. Answers are kept for the life of the object:
// many candidates of one invocation share most of their inputs. Not for use from several threads.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "base/file_system.h"
#include "base/path_resolver.h"
#include "compiler/invocation.h"
#include "key/input.h"
#include "key/roots.h"
#include "store/layout.h"
#include "store/memo.h"

namespace kache {

// What differed, for people: "file src/lib.rs", "variable FOO", "new file src/a/mod.rs".
struct Difference {
  enum Kind : uint8_t { none, file, absent, presence, listing, link, program, variable, location, times } kind = none;
  std::string name;
};

class Verifier {
 public:
  Verifier(FileSystem& fs, Clock& clock, Memo& memo, const Roots& roots, const CommandLine& line,
           const Invocation& invocation, const StoreLayout& layout)
      : fs_(fs), clock_(clock), memo_(memo), roots_(roots), line_(line), invocation_(invocation), layout_(layout),
        resolver_(fs) {}

  // none: all of it holds. `action` is what it leads to.
  Difference first_difference(const InputSet& set, const ActionKey& action);
  // One input, asked for itself.
  bool holds(const Input& input);
  // All that differs, up to `limit`; for explanations.
  std::vector<Difference> differences(const InputSet& set, size_t limit);

  // For files that a compiler makes otherwise each time: what they were made of, where the store knows (same.h).
  Digest standing_for(const std::string& path, const Digest& content) const;

  // The digest of a file's bytes now. `stat` is what the caller saw of it, or null.
  Result<Digest> file_digest(const std::string& path, const FileStat* stat = nullptr);
  // The answer to one question now: what Input::digest would be, or not_found.
  Result<Digest> answer(InputKind kind, const std::string& path);
  // How often a digest was known from a stat, how often a file had to be read, and how much of it.
  struct Counts {
    uint64_t known = 0, read = 0, read_bytes = 0;
  };
  const Counts& counts() const { return counts_; }
  EnvInput env_input(const std::string& name, bool literal) const;
  // Where PATH leads; "" for nowhere.
  const std::string& find_program(const std::string& name);
  // By its name, as far as the command line tells.
  bool is_own_output(std::string_view name) const;

 private:
  Result<FileStat> stat(const std::string& path);
  bool absent(const std::string& path);
  std::string fact_of_command_line(std::string_view name) const;
  void check_facts(const InputSet& set, size_t limit, std::vector<Difference>& found);
  void check_inputs(const InputSet& set, const std::vector<bool>* covered, size_t limit, std::vector<Difference>& found);
  size_t check_absent(const std::vector<Input>& inputs, size_t first, size_t limit, std::vector<Difference>& found);

  FileSystem& fs_;
  Clock& clock_;
  Memo& memo_;
  const Roots& roots_;
  const CommandLine& line_;
  const Invocation& invocation_;
  const StoreLayout& layout_;
  PathResolver resolver_;
  Counts counts_;
  bool followed_dangling_link_ = false;  // an absence that no identity proves
  std::unordered_map<std::string, Digest> files_;
  std::unordered_map<std::string, std::string> programs_;
};

// The answers to two kinds of question, from what was seen.
Digest presence_digest(const FileStat& stat);
Digest link_digest(std::string_view text);

// "struct rustc finds": lib*.rlib, lib*.rmeta, *.so.
bool is_library_name(std::string_view name);

}  // namespace kache
