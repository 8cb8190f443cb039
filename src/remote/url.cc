#include "remote/url.h"

#include <algorithm>

namespace kache {
namespace {

constexpr std::string_view kUpperHex = "0123456789ABCDEF";

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

std::string encoded(std::string_view text, std::string_view kept) {
  std::string out;
  for (char c : text) {
    if (is_unreserved(c) || kept.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    out.append("%").append(1, kUpperHex[byte >> 4]).append(1, kUpperHex[byte & 15]);
  }
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

size_t authority_begin(std::string_view url) {
  size_t at = url.find("://");
  return at == std::string_view::npos ? 0 : at + 3;
}

size_t authority_end(std::string_view url) { return std::min(url.find_first_of("/?#", authority_begin(url)), url.size()); }

}  // namespace

std::string percent_encoded_path(std::string_view path) { return encoded(path, "/"); }
std::string percent_encoded(std::string_view text) { return encoded(text, ""); }

std::optional<std::string> percent_decoded_text(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string host_of(std::string_view url) {
  std::string_view authority = url.substr(0, authority_end(url)).substr(authority_begin(url));
  size_t at = authority.rfind('@');
  return std::string(at == std::string_view::npos ? authority : authority.substr(at + 1));
}

std::string_view origin_of(std::string_view url) { return url.substr(0, authority_end(url)); }
std::string_view path_of(std::string_view url) {
  std::string_view rest = url.substr(authority_end(url));
  return rest.substr(0, rest.find_first_of("?#"));
}

}  // namespace kache
