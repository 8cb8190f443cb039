#include "base/duration.h"

#include <string>

namespace kache {
namespace {

struct UnitRow {
  std::string_view name;
  int64_t ns;
};
constexpr int64_t kMs = 1'000'000, kSecond = 1000 * kMs, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr UnitRow kUnits[] = {
    {"ms", kMs},       {"s", kSecond},    {"sec", kSecond},  {"secs", kSecond}, {"second", kSecond}, {"seconds", kSecond},
    {"m", kMinute},    {"min", kMinute},  {"mins", kMinute}, {"minute", kMinute}, {"minutes", kMinute},
    {"h", kHour},      {"hour", kHour},   {"hours", kHour},  {"d", kDay},       {"day", kDay},       {"days", kDay},
    {"w", 7 * kDay},   {"week", 7 * kDay}, {"weeks", 7 * kDay},
};
// 200 years: sums of two such spans, and of one and today, are no overflow.
constexpr int64_t kLongest = 200 * 365 * kDay;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The digits at the front; "" and too many are 0 and false.
bool take_number(std::string_view& text, int64_t& number, int64_t& scale) {
  size_t digits = 0;
  for (number = 0, scale = 1; digits < text.size() && is_digit(text[digits]); ++digits) {
    if (number > kLongest / kMs) return false;
    number = number * 10 + (text[digits] - '0');
  }
  if (digits == 0) return false;
  text.remove_prefix(digits);
  if (!text.starts_with('.')) return true;
  text.remove_prefix(1);
  if (text.empty() || !is_digit(text[0])) return false;
  for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1)) {
    if (scale >= 1000) continue;  // finer than anybody means
    number = number * 10 + (text[0] - '0');
    scale *= 10;
  }
  return true;
}

int64_t take_unit(std::string_view& text, int64_t bare_ns) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  size_t letters = 0;
  std::string word;
  for (; letters < text.size() && !is_digit(text[letters]) && text[letters] != ' '; ++letters) {
    char c = text[letters];
    word += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  text.remove_prefix(letters);
  while (text.starts_with(' ')) text.remove_prefix(1);
  if (word.empty()) return bare_ns;
  for (const UnitRow& unit : kUnits) {
    if (unit.name == word) return unit.ns;
  }
  return 0;
}

}  // namespace

Result<int64_t> parse_duration(std::string_view given, int64_t bare_ns) {
  Error wrong{ErrorCode::invalid, 0, "a span of time such as 45s, 30m, 24h, 7d or 2w"};
  std::string_view text = given;
  int64_t total = 0;
  if (text.empty()) return wrong;
  for (bool is_first = true; !text.empty(); is_first = false) {
    int64_t number = 0, scale = 1;
    if (!take_number(text, number, scale)) return wrong;
    // "1h30" leaves the unit of 30 to be guessed.
    int64_t unit = take_unit(text, is_first && text.empty() ? bare_ns : 0);
    if (unit == 0) return wrong;
    int64_t part = 0;
    if (__builtin_mul_overflow(number, unit, &part) || part / scale > kLongest - total) {
      return Error{ErrorCode::invalid, 0, "a shorter span of time"};
    }
    total += part / scale;
  }
  return total;
}

}  // namespace kache
