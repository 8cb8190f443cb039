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

// A header of the 64-bit kind and sections of the named names; nothing in them.
std::string elf_with(const std::string& name, bool big, uint64_t flags) {
  std::string bytes(64 + 2 * 64, '\0');
  auto put = [&](size_t where, size_t size, uint64_t value) {
    for (size_t i = 0; i < size; ++i) bytes[where + (big ? size - 1 - i : i)] = static_cast<char>(value >> (8 * i));
  };
  bytes.replace(0, 6, std::string("\x7f" "ELF\x02") + (big ? '\x02' : '\x01'));
  put(40, 8, 64);  // the table of sections
  put(58, 2, 64);
  put(60, 2, 2);
  put(62, 2, 1);  // the section that holds the names
  put(64 + 8, 8, flags);
  put(128 + 24, 8, bytes.size());
  return bytes + name + '\0';
}

TEST(Evidence, compressed_sections_and_files_hide_text) {
  constexpr uint64_t kCompressed = 1u << 11;
  for (bool big : {false, true}) {
    EXPECT_FALSE(hides_text(elf_with(".debug_info", big, 0)));
    EXPECT_TRUE(hides_text(elf_with(".debug_info", big, kCompressed)));
    EXPECT_TRUE(hides_text(elf_with(".zdebug_info", big, 0)));
    EXPECT_TRUE(hides_text(elf_with(".gnu.lto_.decls", big, 0)));
  }
  EXPECT_TRUE(hides_text("\x1f\x8b and so on"));
  EXPECT_TRUE(hides_text("\x28\xb5\x2f\xfd and so on"));
  EXPECT_FALSE(hides_text("{}"));
  EXPECT_FALSE(hides_text(""));
}

TEST(Evidence, an_archive_hides_nothing_that_its_members_did_not) {
  std::string object = elf_with(".text", false, 1u << 11);
  ASSERT_TRUE(hides_text(object));
  EXPECT_FALSE(hides_text("!<arch>\n" + std::string(60, ' ') + object));
}

}  // namespace
}  // namespace kache
