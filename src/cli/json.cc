#include "cli/json.h"

#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace kache {

double rate(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>((part * 1000 + whole / 2) / whole) / 10.0;
}

std::string rfc3339(int64_t ns) {
  std::string text = format_time(ns / 1'000'000 * 1'000'000);
  return text.substr(0, text.size() - 1) + "+00:00";
}

std::string to_text(const nlohmann::ordered_json& value) {
  return value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace kache
