#include "store/evidence.h"

#include <gtest/gtest.h>

namespace kache {
namespace {

const std::string kRoot = "/home/user/checkout-one";

bool finds(const std::string& bytes) {
  PatternSearch search({kRoot});
  search.scan(bytes);
  return search.found(0);
}

TEST(Evidence, plain_text_at_any_offset) {
  for (size_t offset = 0; offset < 20; ++offset) {
    EXPECT_TRUE(finds(std::string(offset, 'x') + kRoot + "/src/lib.rs"));
    EXPECT_TRUE(finds(std::string(offset, 'x') + kRoot));
  }
}

TEST(Evidence, a_neighbour_is_not_the_place) {
  EXPECT_FALSE(finds("/home/user/checkout-two/src/lib.rs"));
  EXPECT_FALSE(finds("/home/user/checkout-one-and-more/x"));
  EXPECT_FALSE(finds("/home/user2/checkout-one"));
  EXPECT_FALSE(finds(""));
}

TEST(Evidence, constants_cut_into_immediates) {
  // mov rax, imm64 before each eight bytes of "prefix:" + root, for every length of the prefix.
  for (size_t prefix = 0; prefix < 8; ++prefix) {
    std::string constant = std::string(prefix, 'p') + kRoot, code;
    for (size_t i = 0; i + 8 <= constant.size(); i += 8) code += "\x48\xb8" + constant.substr(i, 8) + "\x48\x89\x07";
    EXPECT_TRUE(finds(code)) << prefix;
  }
}

std::string bitcode(unsigned width, unsigned shift) {
  std::string out("BC\xC0\xDE", 4);
  uint64_t bits = (1u << shift) - 1;
  unsigned have = shift;
  for (char c : kRoot) {
    bits |= static_cast<uint64_t>(static_cast<unsigned char>(c)) << have;
    have += width;
    for (; have >= 8; have -= 8, bits >>= 8) out.push_back(static_cast<char>(bits));
  }
  out.push_back(static_cast<char>(bits));
  return out;
}

TEST(Evidence, bitcode_packs_characters_at_any_bit) {
  for (unsigned width : {7u, 8u}) {
    for (unsigned shift = 0; shift < 8; ++shift) EXPECT_TRUE(finds(bitcode(width, shift))) << width << " " << shift;
  }
}

TEST(Evidence, a_text_may_be_asked_for_in_one_piece) {
  PatternSearch search({"-j --jobserver-auth=8,9", "/w/pixman-checkout"});
  search.require_whole(0);
  search.scan("x --jobserver-auth= ../pixman-checker.c");
  EXPECT_FALSE(search.found(0));
  EXPECT_FALSE(search.found(1));
  search.scan("MAKEFLAGS=-j --jobserver-auth=8,9 ");
  EXPECT_TRUE(search.found(0));
}

TEST(Evidence, a_name_that_others_have_too_is_no_place) {
  PatternSearch search({"/home/w/pixman/one"});
  search.scan("../pixman/pixman.c");
  EXPECT_FALSE(search.found(0));
}

TEST(Evidence, short_places_are_found_too) {
  PatternSearch search({"/w", "/longer/place"});
  search.scan("in /w/x");
  EXPECT_TRUE(search.found(0));
  EXPECT_FALSE(search.found(1));
}

// A little-endian 64-bit ELF file with one section of these flags.
std::string elf(uint64_t flags) {
  constexpr size_t kHeader = 64, kSection = 64;
  std::string out(kHeader + kSection, '\0');
  out.replace(0, 6, std::string("\x7f" "ELF\2\1", 6));
  out[40] = kHeader;   // where the table of sections is
  out[58] = kSection;  // size of a row
  out[60] = 1;         // number of rows
  for (size_t i = 0; i < 8; ++i) out[kHeader + 8 + i] = static_cast<char>(flags >> (8 * i));
  return out;
}

TEST(Evidence, compressed_sections_hide_text) {
  EXPECT_TRUE(hides_text(elf(1u << 11)));
  EXPECT_FALSE(hides_text(elf(1u << 1)));
  EXPECT_FALSE(hides_text(""));
}

TEST(Evidence, an_archive_hides_nothing_that_its_members_did_not) {
  std::string object = elf(1u << 11);
  EXPECT_FALSE(hides_text("!<arch>\n" + std::string(60, ' ') + object));
}

}  // namespace
}  // namespace kache
