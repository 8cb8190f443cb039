#include "store/evidence.h"

#include <string.h>

#include <algorithm>
#include <cstdint>

namespace kache {
namespace {

constexpr size_t kWord = 8;

uint64_t load_word(const char* p) {
  uint64_t word;
  memcpy(&word, p, sizeof word);
  return word;
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || static_cast<unsigned char>(c) >= 0x80;
}

bool contains(std::string_view bytes, std::string_view pattern) {
  return memmem(bytes.data(), bytes.size(), pattern.data(), pattern.size()) != nullptr;
}

// `pattern` as a stream of `width`-bit characters that begins at bit `shift`, lowest bit first as LLVM packs them; only
// the bytes that it fills completely.
std::string packed(std::string_view pattern, unsigned width, unsigned shift) {
  std::string out;
  uint64_t bits = 0;
  unsigned have = shift;
  bool first_is_partial = shift != 0;
  for (char c : pattern) {
    bits |= static_cast<uint64_t>(static_cast<unsigned char>(c)) << have;
    have += width;
    while (have >= 8) {
      if (!first_is_partial) out.push_back(static_cast<char>(bits));
      first_is_partial = false;
      bits >>= 8;
      have -= 8;
    }
  }
  return out;
}

}  // namespace

PatternSearch::PatternSearch(std::vector<std::string> patterns)
    : patterns_(std::move(patterns)), found_(patterns_.size()), whole_(patterns_.size()), first_two_(1 << 16) {
  for (size_t i = 0; i < patterns_.size(); ++i) {
    const std::string& pattern = patterns_[i];
    if (pattern.size() < kWord) continue;
    // Wherever a constant is cut into words, one of these eight lies whole in a word (if the pattern is long enough).
    size_t last = std::min<size_t>(kWord, pattern.size() - kWord + 1);
    for (size_t offset = 0; offset < last; ++offset) {
      uint64_t word = load_word(pattern.data() + offset);
      windows_.push_back({word, static_cast<uint32_t>(i), static_cast<uint32_t>(offset)});
      first_two_[word & 0xffff] = 1;
    }
  }
}

bool PatternSearch::found_all() const { return std::find(found_.begin(), found_.end(), false) == found_.end(); }

// The window at `at` shows the pattern if the bytes around it are all of the pattern, or as much as one immediate or one
// vector constant holds: then the rest stands in another instruction. (One more, for an opcode byte that happens to be
// the next character.)
bool PatternSearch::confirm(std::string_view bytes, size_t at, const Window& window) const {
  const std::string& pattern = patterns_[window.pattern];
  size_t left = 0, right = kWord;  // how far the bytes agree
  while (left < window.offset && left < at && bytes[at - 1 - left] == pattern[window.offset - 1 - left]) ++left;
  while (window.offset + right < pattern.size() && at + right < bytes.size() &&
         bytes[at + right] == pattern[window.offset + right]) {
    ++right;
  }
  size_t run = left + right;
  // Before an immediate stands an opcode. Where text stands there, this is a part of another path that has a name in common
  // with ours: "../pixman/pixman.c" in a checkout called pixman.
  bool behind_text = at > left && (is_name_char(bytes[at - left - 1]) || bytes[at - left - 1] == '/') &&
                     static_cast<unsigned char>(bytes[at - left - 1]) < 0x80;
  for (size_t constant : {8u, 16u, 32u}) {
    if (whole_[window.pattern]) break;
    if ((run == constant || run == constant + 1) && (constant > 8 || !behind_text)) return true;
  }
  // A component must end here: /home/us is not in /home/user.
  size_t end = at + right;
  return run == pattern.size() && (end == bytes.size() || !is_name_char(bytes[end]));
}

void PatternSearch::scan_plain(std::string_view bytes) {
  if (windows_.empty() || bytes.size() < kWord) return;
  const char* begin = bytes.data();
  const char* last = begin + bytes.size() - kWord;
  for (const char* p = begin; p <= last; ++p) {
    uint16_t two;
    memcpy(&two, p, sizeof two);
    if (!first_two_[two]) continue;
    uint64_t word = load_word(p);
    for (const Window& window : windows_) {
      if (window.word != word || found_[window.pattern]) continue;
      if (confirm(bytes, static_cast<size_t>(p - begin), window)) found_[window.pattern] = true;
    }
  }
}

void PatternSearch::scan_short(std::string_view bytes) {
  for (size_t i = 0; i < patterns_.size(); ++i) {
    if (!found_[i] && patterns_[i].size() < kWord && contains(bytes, patterns_[i])) found_[i] = true;
  }
}

void PatternSearch::scan_bitcode(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (!contains(bytes, "BC\xC0\xDE"sv)) return;
  for (size_t i = 0; i < patterns_.size(); ++i) {
    for (unsigned width : {7u, 8u}) {
      for (unsigned shift = 0; shift < 8 && !found_[i]; ++shift) {
        std::string needle = packed(patterns_[i], width, shift);
        if (!needle.empty() && contains(bytes, needle)) found_[i] = true;
      }
    }
  }
}

void PatternSearch::scan(std::string_view bytes) {
  if (found_all()) return;
  scan_plain(bytes);
  scan_short(bytes);
  scan_bitcode(bytes);
}

namespace {

// An ELF file as far as its sections go (System V ABI, "Object Files"), of 32 or 64 bits, in either order of bytes.
class ElfSections {
 public:
  explicit ElfSections(std::string_view bytes) : bytes_(bytes) {
    if (bytes.size() < 52 || !bytes.starts_with("\x7f" "ELF")) return;
    wide_ = bytes[4] == 2;
    big_ = bytes[5] == 2;
    table_ = number(wide_ ? 40 : 32, wide_ ? 8 : 4);
    entry_size_ = number(wide_ ? 58 : 46, 2);
    count_ = number(wide_ ? 60 : 48, 2);
    uint64_t names = number(wide_ ? 62 : 50, 2);
    if (entry_size_ < (wide_ ? 64u : 40u) || table_ > bytes.size() || entry_size_ * count_ > bytes.size() - table_) count_ = 0;
    if (names < count_) names_ = offset(names);
  }

  uint64_t count() const { return count_; }
  uint64_t flags(uint64_t section) const { return number(at(section) + 8, wide_ ? 8 : 4); }
  std::string_view name(uint64_t section) const {
    uint64_t start = names_ + number(at(section), 4);
    if (start >= bytes_.size()) return {};
    std::string_view rest = bytes_.substr(start, 64);
    return rest.substr(0, rest.find('\0'));
  }

 private:
  uint64_t at(uint64_t section) const { return table_ + section * entry_size_; }
  uint64_t offset(uint64_t section) const { return number(at(section) + (wide_ ? 24 : 16), wide_ ? 8 : 4); }
  // 0 for what lies outside.
  uint64_t number(uint64_t where, size_t size) const {
    uint64_t value = 0;
    if (where > bytes_.size() || size > bytes_.size() - where) return 0;
    for (size_t i = 0; i < size; ++i) {
      size_t shift = 8 * (big_ ? size - 1 - i : i);
      value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes_[where + i])) << shift;
    }
    return value;
  }

  std::string_view bytes_;
  bool wide_ = false, big_ = false;
  uint64_t table_ = 0, entry_size_ = 0, count_ = 0, names_ = 0;
};

constexpr uint64_t kCompressed = 1u << 11;  // SHF_COMPRESSED

}  // namespace

bool hides_text(std::string_view bytes) {
  using namespace std::string_view_literals;
  // gzip (gcc's record of optimisations), zstd, xz, bzip2.
  for (std::string_view magic : {"\x1f\x8b"sv, "\x28\xb5\x2f\xfd"sv, "\xfd" "7zXZ"sv, "BZh"sv}) {
    if (bytes.starts_with(magic)) return true;
  }
  ElfSections sections(bytes);
  for (uint64_t i = 0; i < sections.count(); ++i) {
    // What gcc keeps for link-time optimisation is compressed inside its sections; compressed debug information had names of
    // its own before it had a flag.
    std::string_view name = sections.name(i);
    if (sections.flags(i) & kCompressed || name.starts_with(".gnu.lto_") || name.starts_with(".zdebug_")) return true;
  }
  return false;
}

}  // namespace kache
