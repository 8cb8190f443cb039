#include <algorithm>
#include <cstdio>
#include <iostream>

#include "base/path.h"
#include "cli/command.h"
#include "wrapper/progress.h"

namespace kache {

int fail(const std::string& message) {
  std::fprintf(stderr, "kache: %s\n", message.c_str());
  return 1;
}

bool ask(const std::string& question, bool yes_by_default) {
  std::printf("  %s [%s] ", question.c_str(), yes_by_default ? "Y/n" : "y/N");
  std::fflush(stdout);
  std::string answer;
  if (!std::getline(std::cin, answer)) return false;
  return answer.empty() ? yes_by_default : answer[0] == 'y' || answer[0] == 'Y';
}

std::string human_size(uint64_t bytes) { return format_size(bytes); }

std::string human_ms(uint64_t ms) {
  if (ms < 1000) return std::to_string(ms) + "ms";
  if (ms < 60'000) return std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100) + "s";
  return format_duration(ms / 1000);
}

std::string human_us(uint64_t us) {
  if (us >= 10'000) return human_ms((us + 500) / 1000);
  uint64_t tenths = (us + 50) / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "ms";
}

std::vector<std::string> unit_names(const std::string& given) {
  std::string crate = given;
  std::replace(crate.begin(), crate.end(), '-', '_');
  return {given, crate, std::string(base_name(given))};
}

std::string percent(uint64_t part, uint64_t whole) {
  uint64_t tenths = whole == 0 ? 0 : (part * 1000 + whole / 2) / whole;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::string printable(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (char c : text) {
    unsigned char byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) out += c;
    else out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

std::string padded(std::string text, size_t width, bool right) {
  if (text.size() >= width) return text;
  std::string spaces(width - text.size(), ' ');
  return right ? spaces + text : text + spaces;
}

}  // namespace kache
