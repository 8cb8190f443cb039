// Evidence of location: which places left their name in what the compiler produced.
//
// A root whose path is found nowhere in the outputs and diagnostics did not shape them, and the result is good for every
// checkout. Errs on the side of finding: a false find costs sharing, a missed one would be a wrong hit. Beside the plain
// text it finds what LLVM makes of text: constants cut into eight-byte immediates, and bitcode, where characters are
// seven or eight bits wide at any bit offset.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kache {

class PatternSearch {
 public:
  // `patterns`: absolute paths, any number; short ones (below eight bytes) are searched as they are.
  explicit PatternSearch(std::vector<std::string> patterns);

  // This pattern is found in one piece or not at all. For texts that have parts in common with much else.
  void require_whole(size_t pattern) { whole_[pattern] = true; }

  // Marks the patterns that occur in `bytes`.
  void scan(std::string_view bytes);

  bool found(size_t pattern) const { return found_[pattern]; }
  bool found_all() const;

 private:
  struct Window {
    uint64_t word = 0;     // eight bytes of the pattern
    uint32_t pattern = 0;
    uint32_t offset = 0;   // where in the pattern
  };
  void scan_plain(std::string_view bytes);
  void scan_short(std::string_view bytes);
  void scan_bitcode(std::string_view bytes);
  bool confirm(std::string_view bytes, size_t at, const Window& window) const;

  std::vector<std::string> patterns_;
  std::vector<bool> found_, whole_;
  std::vector<Window> windows_;
  std::vector<uint8_t> first_two_;  // 64 Ki flags: two bytes with which some window begins
};

// True for an object or program in which text can not be searched, because it has compressed sections, and for compressed files.
// False for an archive, whatever its members hide: it is made of their bytes, and these were inputs of the archiver, so where
// they are the same the archive is the same in every place. (An rlib's own objects are compressed by no stable rustc, and have
// had their paths remapped.)
bool hides_text(std::string_view bytes);

}  // namespace kache
